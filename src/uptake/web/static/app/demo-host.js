// The demo's ERP: posts the receipt to its own server and offers the next one.
(function () {
  "use strict";
  const form = document.querySelector("[data-receipt]");
  const part = (name) => form.querySelector("[data-" + name + "]");
  const post = part("post"), next = part("next"), state = part("state"), said = part("said"), shown = part("number");
  let following = "";
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    post.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
      const told = await answer.json();
      if (!answer.ok || told.fate !== "new") throw new Error(told.fate);
      following = told.next;
      state.textContent = form.dataset.posted;
      said.textContent = form.dataset.posted + " · " + shown.textContent + " · " + new Date().toLocaleTimeString(document.documentElement.lang);
      next.disabled = false;
      next.focus();
    } catch {
      said.textContent = form.dataset.failed;
      post.disabled = false;
    }
  });
  next.addEventListener("click", () => {
    shown.textContent = form.elements.number.value = following;
    state.textContent = state.dataset.draft;
    next.disabled = true;
    post.disabled = false;
    post.focus();
  });
})();
