// The page that tries the collector out: each event as it was sent, with its fate.
(function () {
  "use strict";
  const rows = document.querySelector("[data-demo-sent]");
  if (!rows) return;
  const cell = (row, text) => (row.insertCell().textContent = text);
  document.addEventListener("uptake:sent", (told) => {
    const { events, status, answer } = told.detail;
    events.forEach((event, index) => {
      const fate = answer && answer.fates && answer.fates[index];
      const row = rows.insertRow(0);
      cell(row, new Date(event.at).toLocaleTimeString());
      cell(row, event.event + (event.person ? " · " + event.person : ""));
      cell(row, Object.entries(event.facts).filter(([name]) => name !== "visit").map(([name, value]) => name + ": " + value).join(", "));
      cell(row, fate ? [fate.fate, fate.reason].filter(Boolean).join(": ") : answer && answer.detail ? answer.detail : status || rows.dataset.away);
    });
  });
  let views = 1;
  document.querySelector("[data-demo-view]").addEventListener("click", () => {
    history.pushState({}, "", "#view-" + ++views);
  });
  addEventListener("load", () => {
    if (window.uptake && window.uptake.quiet) document.querySelector("[data-demo-quiet]").hidden = false;
  });
})();
