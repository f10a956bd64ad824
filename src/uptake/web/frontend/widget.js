// The widget: a person's points in the pages of the business software. No cookies; see docs/how-to.
(function () {
  "use strict";
  const script = document.currentScript;
  const read = (name) => script.getAttribute("data-uptake-" + name) || "";
  const api = new URL("../api/v1/widget/", script.src).href;
  const tokenUrl = read("token-url");
  const lang = /^zh/i.test(read("lang") || document.documentElement.lang || navigator.language) ? "zh" : "en";
  const t = {
    en: {
      points: "points", level: "Level", why: "Why?", today: "today", all: "Open my points", hide: "Hide for today",
      close: "Close", mine: "My points", togo: (n) => n + " to go", top: "highest level", next: "Next best step",
      rank: (r, n) => "Place " + r + " of " + n + " this month", later: (n) => n + " more can be spent later",
      away: "Not up to date. Trying again.", none: "No points yet. They come with your work.",
      got: (p, what) => "+" + p + " points: " + what, more: (n) => n === 1 ? "and 1 more" : "and " + n + " more",
      up: (l) => "You reached level " + l, looking: "Looking…",
    },
    zh: {
      points: "积分", level: "等级", why: "为什么？", today: "今日", all: "打开我的积分", hide: "今日隐藏",
      close: "关闭", mine: "我的积分", togo: (n) => "还差 " + n, top: "已是最高等级", next: "最划算的下一步",
      rank: (r, n) => "本月第 " + r + " 名，共 " + n + " 人", later: (n) => "另有 " + n + " 积分稍后可用",
      away: "数据未更新，正在重试。", none: "还没有积分，做业务就会有。",
      got: (p, what) => "+" + p + " 积分：" + what, more: (n) => "另有 " + n + " 条",
      up: (l) => "你升到了等级 " + l, looking: "正在查询…",
    },
  }[lang];
  const CSS = `
:host{all:initial;position:fixed;right:16px;bottom:16px;z-index:2147483000;display:flex;flex-direction:column;
align-items:flex-end;gap:8px;font:13px/18px "Segoe UI","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",system-ui,
sans-serif;color:var(--k);--s:#fff;--l:#c9d1d1;--k:#142120;--m:#566665;--a:#0b6e63;--p:#8a5200;--b:#c9781a}
:host([side=left]){right:auto;left:16px;align-items:flex-start}
:host([theme=dark]){--s:#161e1f;--l:#3a474a;--k:#e9efee;--m:#a3b2b1;--a:#4cc2b0;--p:#f0b65c}
@media(prefers-color-scheme:dark){:host(:not([theme=light])){--s:#161e1f;--l:#3a474a;--k:#e9efee;--m:#a3b2b1;
--a:#4cc2b0;--p:#f0b65c}}
@media print{:host{display:none}}
*{box-sizing:border-box}[hidden]{display:none!important}
button{font:inherit;color:inherit;cursor:pointer;background:none;border:0;padding:0}
a{color:var(--a);text-decoration:none;font-weight:600}a:hover{text-decoration:underline}
button:focus-visible,a:focus-visible,.pop:focus-visible{outline:2px solid var(--a);outline-offset:2px}
.b{order:3;display:flex;align-items:center;gap:8px;min-height:40px;padding:0 14px 0 9px;border:1px solid var(--l);
border-radius:20px;background:var(--s);box-shadow:0 2px 10px rgba(16,32,31,.14)}
.b svg{width:22px;height:22px;flex:none}.b b,.n{font-weight:650;font-variant-numeric:tabular-nums}
.b i{font-style:normal;color:var(--m);border-left:1px solid var(--l);padding-left:8px}
.pop,.t{background:var(--s);border:1px solid var(--l);border-radius:10px;box-shadow:0 8px 28px rgba(16,32,31,.18);
width:304px;max-width:calc(100vw - 32px)}
.pop{order:1;overflow:auto;max-height:calc(100vh - 88px)}.ts{order:2;display:flex;flex-direction:column;gap:8px}
.ts:empty{display:none}.h{padding:12px 14px 10px}.r{display:flex;justify-content:space-between;gap:8px;
align-items:baseline}.big{font-size:15px;font-weight:600}.m{color:var(--m);font-size:12px}
.bar{height:6px;border-radius:3px;background:rgba(120,140,140,.25);margin-top:8px;overflow:hidden}
.bar i{display:block;height:100%;background:var(--b);border-radius:3px;transition:width .3s}
.row{display:grid;grid-template-columns:38px 1fr auto;gap:8px;padding:8px 14px;border-top:1px solid
rgba(120,140,140,.25);overflow-wrap:anywhere}.row.new{background:rgba(201,120,26,.13)}
.row b,.t b,.x b{color:var(--p);font-variant-numeric:tabular-nums}
.x{padding:8px 14px;border-top:1px solid rgba(120,140,140,.25)}
.f{display:flex;justify-content:space-between;gap:8px;padding:9px 14px;border-top:1px solid rgba(120,140,140,.25);
font-size:12px}.f a,.f button,.row a,.t a{min-height:24px;display:inline-flex;align-items:center}.f button{color:var(--m)}
.t{display:grid;grid-template-columns:auto 1fr auto auto;gap:12px;align-items:center;padding:11px 14px;
overflow-wrap:anywhere;animation:i .24s cubic-bezier(.2,.8,.2,1)}.t b{font-size:20px;line-height:24px}
.t button{width:24px;height:24px;color:var(--m)}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@keyframes i{from{transform:translateY(8px);opacity:0}}
@media(prefers-reduced-motion:reduce){.t{animation:none}.bar i{transition:none}}`;
  const TOAST_MS = 8000, POLL_MS = 20000, HELLO_MS = 10000, SLOWEST_MS = 300000;
  const HIDDEN = "uptake-widget-hidden";
  const number = new Intl.NumberFormat(lang === "zh" ? "zh-CN" : "en-GB");
  const n = (value) => number.format(value);
  let token = read("token"), endsAt = Infinity, known = null, state = null, failures = 0, timer, stream, ended = false;

  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "click") made.addEventListener("click", value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== ""));
    return made;
  }

  function mark() {
    const ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg");
    const add = (tag, attributes) => {
      const part = document.createElementNS(ns, tag);
      for (const name in attributes) part.setAttribute(name, attributes[name]);
      svg.append(part);
    };
    const line = { fill: "none", stroke: "#fff", "stroke-width": 2.3, "stroke-linecap": "round" };
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    add("rect", { width: 24, height: 24, rx: 6, fill: "#0B6E63" });
    add("path", { d: "M6.5 6.5v6.2a5 5 0 0 0 10 0V7.4", ...line });
    add("path", { d: "M13.4 9.6l3.1-3.2 3.1 3.2", ...line, "stroke-linejoin": "round" });
    return svg;
  }

  const out = (href, text, label) =>
    el("a", { href, target: "_blank", rel: "noopener", "aria-label": label || null }, text);

  // The parts that stay. The button comes first for the keyboard and stands last to the eye.
  const host = el("div", { id: "uptake-widget", lang: lang === "zh" ? "zh-CN" : "en" });
  for (const name of ["theme", "side"]) if (read(name)) host.setAttribute(name, read(name));
  const root = host.attachShadow({ mode: "open" });
  const total = el("b"), level = el("i", { hidden: true });
  const button = el("button", { class: "b", type: "button", "aria-expanded": "false", "aria-controls": "pop", click: () => open(pop.hidden) },
    mark(), total, level);
  const pop = el("div", { class: "pop", id: "pop", role: "dialog", "aria-label": t.mine, tabindex: "-1", hidden: true });
  const toasts = el("div", { class: "ts" });
  const live = el("div", { class: "sr", role: "status", "aria-live": "polite" });
  root.append(button, pop, toasts, live);
  dress();
  root.addEventListener("keydown", (pressed) => {
    if (pressed.key !== "Escape") return;
    const within = pop.contains(root.activeElement) || toasts.contains(root.activeElement);
    if (!pop.hidden || toasts.childElementCount) pressed.stopPropagation();
    toasts.replaceChildren();
    open(false);
    if (within) button.focus();
  });

  function dress() {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      root.adoptedStyleSheets = [sheet]; // also where the page forbids styles in its text
    } catch {
      root.append(el("style", {}, CSS));
    }
  }

  function open(wanted) {
    if (wanted === !pop.hidden) return;
    pop.hidden = !wanted;
    button.setAttribute("aria-expanded", String(wanted));
    if (!wanted) return;
    toasts.replaceChildren();
    draw();
    pop.focus();
    look(true);
  }

  function row(entry) {
    return el("div", { class: entry.fresh ? "row new" : "row" }, el("b", {}, "+" + n(entry.points)),
      el("div", {}, entry.title, el("div", { class: "m" }, entry.sub)), out(entry.href, t.why, t.why + " " + entry.title));
  }

  function draw() {
    const s = state, l = s.level;
    total.textContent = n(s.points);
    level.hidden = !l || !l.number;
    level.textContent = l ? named(l) : "";
    button.setAttribute("aria-label", n(s.points) + " " + t.points + (l && l.number ? ", " + named(l) : ""));
    if (pop.hidden) return;
    const bar = el("i");
    bar.style.width = l ? Math.min(100, l.done / l.whole * 100) + "%" : "0";
    const focused = root.activeElement, within = focused && pop.contains(focused) && focused !== pop;
    pop.replaceChildren(
      el("div", { class: "h" },
        el("div", { class: "r" }, el("span", { class: "big" }, el("span", { class: "n" }, n(s.points)), " " + t.points),
          el("span", { class: "m" }, l ? named(l) + " · " + (l.next ? t.togo(n(l.missing)) : t.top) : "")),
        l ? el("div", { class: "bar" }, bar) : null,
        el("div", { class: "r m" }, el("span", {}, "+" + n(s.today) + " " + t.today),
          s.pending ? el("span", {}, t.later(n(s.pending))) : null)),
      failures > 1 ? el("div", { class: "x m" }, t.away) : "",
      s.next ? el("div", { class: "x" }, el("div", { class: "m" }, t.next), el("div", { class: "r" }, el("span", {}, s.next.text), el("b", {}, "+" + n(s.next.points)))) : "",
      s.rank ? el("div", { class: "x m" }, t.rank(n(s.rank.rank), n(s.rank.of))) : "",
      ...(s.entries.length ? s.entries.map(row) : [el("div", { class: "x m" }, t.none)]),
      el("div", { class: "f" }, out(s.home, t.all),
        el("button", { type: "button", click: hide }, t.hide)));
    if (within) pop.focus();
  }

  const named = (l) => l.name || t.level + " " + l.number;

  function hide() {
    try { localStorage.setItem(HIDDEN, day()); } catch { /* then it is hidden for this page */ }
    end();
  }

  function day() {
    const now = new Date();
    return [now.getFullYear(), now.getMonth() + 1, now.getDate()].join("-");
  }

  function hidden() {
    try { return localStorage.getItem(HIDDEN) === day(); } catch { return false; }
  }

  // "22:00-07:00" by the reader's clock: the figures change, nothing pops up and nothing is read out.
  function quiet() {
    const found = /^(\d\d?):(\d\d)-(\d\d?):(\d\d)$/.exec(read("quiet"));
    if (!found) return false;
    const [from, until] = [found[1] * 60 + +found[2], found[3] * 60 + +found[4]];
    const now = new Date().getHours() * 60 + new Date().getMinutes();
    return from <= until ? now >= from && now < until : now >= from || now < until;
  }

  function say(points, title, sub, href) {
    live.append(el("p", {}, points ? t.got(n(points), title) : title));
    while (live.childElementCount > 3) live.firstElementChild.remove();
    if (!pop.hidden) return;
    const gone = () => {
      if (toast.contains(root.activeElement)) button.focus();
      toast.remove();
    };
    const toast = el("div", { class: "t" }, el("b", {}, points ? "+" + n(points) : "★"),
      el("div", {}, title, sub ? el("div", { class: "m" }, sub) : ""),
      href ? out(href, t.why, t.why + " " + title) : el("span"),
      el("button", { type: "button", "aria-label": t.close, click: gone }, "×"));
    let waiting = setTimeout(gone, TOAST_MS);
    const hold = () => clearTimeout(waiting), go = () => { hold(); waiting = setTimeout(gone, TOAST_MS / 2); };
    toast.addEventListener("pointerenter", hold);
    toast.addEventListener("focusin", hold);
    toast.addEventListener("pointerleave", go);
    toast.addEventListener("focusout", go);
    toasts.append(toast);
    while (toasts.childElementCount > 3) toasts.firstElementChild.remove();
  }

  function heard(answer) {
    const before = state, fresh = answer.entries.filter((entry) => entry.new);
    const seen = new Set(before ? before.entries.filter((entry) => entry.fresh).map((entry) => entry.id) : []);
    for (const entry of answer.entries) entry.fresh = entry.new || seen.has(entry.id);
    state = { rank: before && before.rank, next: before && before.next, ...answer };
    known = Math.max(known || 0, answer.last);
    if (!host.isConnected && !ended) document.body.append(host);
    draw();
    if (before && fresh.length && !quiet()) {
      const points = fresh.reduce((sum, entry) => sum + entry.points, 0), first = fresh[0];
      say(points, first.title, fresh.length > 1 ? t.more(fresh.length - 1) : first.sub, first.href);
    }
    if (before && before.level && answer.level && answer.level.number > before.level.number && !quiet()) {
      say(0, t.up(named(answer.level)), "", "");
    }
    document.dispatchEvent(new CustomEvent("uptake:shown", { detail: { points: answer.points, fresh: fresh.length } }));
  }

  async function renew() {
    if (!tokenUrl) return Boolean(token) && Date.now() < endsAt;
    const answer = await fetch(tokenUrl, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok) return false;
    const given = await answer.json();
    token = given.token;
    // By this page's own clock, which may be wrong: a minute before the end it is asked for anew, at the latest.
    endsAt = given.expires_at ? Date.now() + Math.max(20, (Date.parse(given.expires_at) - Date.now()) / 1000 - 60) * 1000 : Infinity;
    return Boolean(token);
  }

  async function ask(path, signal) {
    if (!token || Date.now() >= endsAt) if (!await renew()) return null;
    const send = () => fetch(api + path, {
      credentials: "omit", cache: "no-store", signal, headers: { Authorization: "Bearer " + token },
    });
    let answer = await send();
    if (answer.status === 401 && tokenUrl && await renew()) answer = await send();
    return answer;
  }

  let asking = null, again = false;
  // One question at a time; what is wanted meanwhile is asked once afterwards.
  function look(more) {
    if (asking) {
      again = again || (more ? "more" : "plain");
      return asking;
    }
    asking = looked(more).finally(() => {
      asking = null;
      const wanted = again;
      again = false;
      if (wanted && !ended) look(wanted === "more");
    });
    return asking;
  }

  async function looked(more) {
    try {
      const answer = await ask("me?lang=" + lang + (known === null ? "" : "&after=" + known) + (more ? "&more=1" : ""));
      if (!answer || answer.status === 401 || answer.status === 403 || answer.status === 404) {
        console.warn("uptake: the widget is not shown (" + (answer ? answer.status : "no token") + ")");
        end();
        return false;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      failures = 0;
      heard(await answer.json());
      return true;
    } catch {
      failures++;
      if (state) draw();
      return false;
    }
  }

  function later(ms) {
    clearTimeout(timer);
    if (!ended && document.visibilityState === "visible") timer = setTimeout(turn, ms);
  }

  // Look, then listen; where no stream passes, look again after a while.
  async function turn() {
    clearTimeout(timer);
    if (ended || stream) return;
    const fine = await look(false);
    if (ended || stream || document.visibilityState !== "visible") return;
    if (!fine) return later(Math.min(SLOWEST_MS, 2000 * 2 ** Math.min(failures, 8)));
    const streamed = await listen();
    later(streamed ? 500 + Math.random() * 1500 : POLL_MS);
  }

  async function listen() {
    const stop = stream = new AbortController();
    let said = false;
    const late = setTimeout(() => said || stop.abort(), HELLO_MS);
    try {
      const answer = await ask("stream", stop.signal);
      if (!answer || !answer.ok || !answer.body) return false;
      const reader = answer.body.getReader(), decoder = new TextDecoder();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        text += decoder.decode(value, { stream: true });
        const parts = text.split("\n\n");
        text = parts.pop();
        for (const part of parts) {
          const hello = /^event: hello$/m.test(part);
          said = said || hello;
          // Also at the beginning: something may have come between the last look and now.
          if (hello || /^event: changed$/m.test(part)) look(!pop.hidden);
        }
      }
    } catch { /* closed by us, or away */ } finally {
      clearTimeout(late);
      if (stream === stop) stream = null;
    }
    return said;
  }

  function end() {
    ended = true;
    clearTimeout(timer);
    if (stream) stream.abort();
    host.remove();
    document.removeEventListener("visibilitychange", seen);
  }

  // A page that nobody sees holds no connection.
  function seen() {
    if (document.visibilityState === "visible") return void turn();
    clearTimeout(timer);
    if (stream) stream.abort();
    stream = null;
  }

  if (hidden() || (!token && !tokenUrl)) return;
  document.addEventListener("visibilitychange", seen);
  const start = () => turn();
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
