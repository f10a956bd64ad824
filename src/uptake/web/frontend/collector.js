// The browser collector: page views, and events named in the page, sent to Uptake. No cookies; see docs/how-to.
(function () {
  "use strict";
  const script = document.currentScript;
  const read = (name) => script.getAttribute("data-uptake-" + name);
  const key = read("key");
  const address = new URL("../api/v1/collect", script.src) + "?key=" + encodeURIComponent(key);
  const waiting = Array.isArray(window.uptake) ? window.uptake : [];
  const asked = navigator.doNotTrack === "1" || window.doNotTrack === "1" || navigator.globalPrivacyControl === true;
  const quiet = !key || (asked && read("dnt") !== "ignore");
  const store = quiet || read("store") === null ? null : attempt(() => localStorage);
  const MOST = 50, BYTES = 60000, KEPT = 1000;
  const visit = random(), slot = "uptake:" + key + ":";
  let queue = [], busy = false, gone = false, failures = 0, timer, person, shown, referrer = plain(document.referrer);

  function attempt(deed) {
    try { return deed(); } catch { return null; }
  }

  function random() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // An address without what may name a person: its query and fragment.
  function plain(text) {
    return text.replace(read("query") === null ? /[?#].*/ : /#.*/, "");
  }

  function who() {
    if (person !== undefined) return person;
    const said = document.querySelector("[data-uptake-person]");
    return said && said.getAttribute("data-uptake-person");
  }

  function track(event, facts, object) {
    if (quiet) return;
    gone = false;
    queue.push({
      event, key: random(), at: new Date().toISOString(), person: who() || null, object: object ? String(object) : null,
      facts: Object.assign({ path: location.pathname, visit }, facts),
    });
    if (queue.length > KEPT) queue.shift();
    keep();
    later(queue.length < 20 ? 1000 : 0);
  }

  function page() {
    const url = plain(location.href) + (read("hash") === null ? "" : location.hash);
    if (url === shown) return;
    const facts = { url, title: document.title };
    if (shown || referrer) facts.referrer = shown || referrer;
    shown = url;
    track("$pageview", facts);
  }

  // What is not confirmed yet outlives the page only where the page allows it.
  function keep() {
    if (!store) return;
    attempt(() => (queue.length ? store.setItem(slot + visit, JSON.stringify(queue)) : store.removeItem(slot + visit)));
  }

  function recall() {
    for (const name of Object.keys(store).filter((name) => name.startsWith(slot))) {
      queue = (attempt(() => JSON.parse(store.getItem(name))) || []).concat(queue).slice(-KEPT);
      store.removeItem(name);
    }
    keep();
    if (queue.length) later(0);
  }

  // The next events that fit into one request, from a place in the queue on.
  function batch(from) {
    const taken = [];
    let size = 100;
    for (const item of queue.slice(from, from + MOST)) {
      size += new Blob([JSON.stringify(item)]).size + 1;
      if (size > BYTES && taken.length) break;
      taken.push(item);
    }
    return taken;
  }

  function body(events) {
    return new Blob([JSON.stringify({ sent_at: new Date().toISOString(), events })], { type: "text/plain" });
  }

  function post(events) {
    return fetch(address, { method: "POST", body: body(events), keepalive: true, credentials: "omit" });
  }

  function later(wait) {
    if (timer && failures) return;
    clearTimeout(timer);
    timer = setTimeout(flush, wait);
  }

  async function flush() {
    clearTimeout(timer);
    timer = 0;
    if (busy || !queue.length) return;
    busy = true;
    const events = batch(0);
    let status = 0, answer = null, wait = 0;
    try {
      const response = await post(events);
      status = response.status;
      wait = 1000 * Number(response.headers.get("Retry-After"));
      answer = await response.json();
    } catch { /* the server is away, or its answer is not for us to read */ }
    busy = false;
    if (status === 0 || status === 408 || status === 429 || status > 499) {
      failures++;
      timer = setTimeout(flush, wait || Math.min(60000, 500 * 2 ** failures) * (0.5 + Math.random()));
    } else {
      failures = 0;
      queue = queue.filter((item) => !events.includes(item));
      keep();
      if (queue.length) later(0);
    }
    document.dispatchEvent(new CustomEvent("uptake:sent", { detail: { events, status, answer } }));
  }

  // The page is being left: a beacon outlives it. Its arrival is not told, so a page that comes back sends again; the
  // keys make that harmless.
  function leave() {
    if (gone) return;
    gone = true;
    for (let at = 0; at < queue.length; ) {
      const events = batch(at);
      if (!(navigator.sendBeacon && navigator.sendBeacon(address, body(events)))) post(events).catch(() => {});
      at += events.length;
    }
  }

  function named(event) {
    const element = event.target.closest && event.target.closest("[data-uptake-event]");
    if (!element || (element.tagName === "FORM") !== (event.type === "submit")) return;
    const facts = {};
    for (const { name, value } of element.attributes) {
      const fact = name.startsWith("data-uptake-") && name.slice(12);
      if (!fact || /^(event|object|person)$/.test(fact)) continue;
      const exact = /^(true|false|-?(0|[1-9]\d{0,14})(\.\d{1,6})?)$/.test(value);
      facts[fact.replace(/-/g, "_")] = exact ? JSON.parse(value) : value;
    }
    track(element.getAttribute("data-uptake-event"), facts, element.getAttribute("data-uptake-object"));
  }

  const deeds = { track, page, flush, identify: (id) => { person = id === null ? null : String(id); }, quiet };
  deeds.push = ([deed, ...rest]) => deeds[deed](...rest);
  window.uptake = deeds;
  if (quiet) return;

  addEventListener("click", named, true);
  addEventListener("submit", named, true);
  addEventListener("online", flush);
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") return leave();
    gone = false;
    flush();
  });
  if (store) attempt(recall);
  waiting.forEach(deeds.push);
  if (read("pages") === "off") return;
  for (const deed of ["pushState", "replaceState"]) {
    const was = history[deed];
    history[deed] = function () {
      was.apply(this, arguments);
      setTimeout(page);
    };
  }
  addEventListener("popstate", () => setTimeout(page));
  addEventListener("hashchange", page);
  addEventListener("pageshow", (event) => {
    if (event.persisted) shown = "";
    page();
  });
  if (document.prerendering) document.addEventListener("prerenderingchange", page, { once: true });
  else page();
})();
