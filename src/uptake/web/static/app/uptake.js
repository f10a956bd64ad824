// The script of every page: theme, toasts, live feedback, relative times, charts. Nothing here is needed to read a page.
(function () {
  "use strict";
  const doc = document.documentElement;
  const me = document.currentScript;
  const chinese = doc.lang.startsWith("zh");
  const wordsOf = () => document.getElementById("words")?.dataset ?? {};

  // ---- numbers, as web/numbers.py writes them --------------------------------------------------------------------
  const full = (value, places = 0) =>
    new Intl.NumberFormat("en-GB", { minimumFractionDigits: places, maximumFractionDigits: places })
      .format(value)
      .replace("-", "−");
  const threeFigures = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(1)).replace(/\.0$/, "");
  function compact(value) {
    const size = Math.abs(value);
    const sign = value < 0 ? "−" : "";
    const steps = chinese ? [[1e8, 1e8, " 亿"], [1e4, 1e4, " 万"]] : [[1e9, 1e9, "B"], [1e6, 1e6, "M"], [1e4, 1e3, "k"]];
    for (const [from, unit, letter] of steps) if (size >= from) return sign + threeFigures(size / unit) + letter;
    return full(value, Number.isInteger(value) || size >= 100 ? 0 : 1);
  }
  const written = (value, format) =>
    value === null || value === undefined ? "–"
      : format === "share" ? full(value * 100, 1) + "%"
      : full(value, format === "decimal" ? 1 : 0);

  // ---- theme: the server draws it, the switch changes it at once and tells the server ----------------------------
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-toggle]");
    if (!button || !window.fetch) return;
    event.preventDefault();
    const theme = doc.dataset.bsTheme === "dark" ? "light" : "dark";
    doc.dataset.bsTheme = theme;
    const form = new FormData(button.form);
    form.set("theme", theme);
    fetch(button.form.action, { method: "POST", body: form, redirect: "manual" });
    redraw();
  });

  // ---- toasts: at most three, six seconds, longer while looked at ------------------------------------------------
  function toast({ points, title, sub, href, tone }) {
    const box = document.querySelector(".u-toasts");
    if (!box) return;
    const node = document.createElement("div");
    node.className = "u-toast" + (tone ? " " + tone : "");
    const mark = document.createElement("span");
    mark.className = "p";
    mark.textContent = points === undefined ? (tone === "good" ? "✓" : "!") : (points > 0 ? "+" : "") + full(points);
    const text = document.createElement("div");
    const head = document.createElement("div");
    head.className = "b5";
    head.textContent = title;
    text.append(head);
    if (sub) {
      const small = document.createElement("div");
      small.className = "xs dim";
      small.textContent = sub;
      text.append(small);
    }
    node.append(mark, text);
    if (href) {
      const link = document.createElement("a");
      link.className = "xs b5";
      link.href = href;
      link.textContent = points === undefined ? box.dataset.open : box.dataset.why;
      node.append(link);
    } else {
      const close = document.createElement("button");
      close.type = "button";
      close.setAttribute("aria-label", box.dataset.close);
      close.textContent = "×";
      close.addEventListener("click", () => node.remove());
      node.append(close);
    }
    box.append(node);
    while (box.children.length > 3) box.firstElementChild.remove();
    let timer = setTimeout(() => node.remove(), 6000);
    const hold = () => clearTimeout(timer);
    const release = () => { clearTimeout(timer); timer = setTimeout(() => node.remove(), 1500); };
    node.addEventListener("mouseenter", hold);
    node.addEventListener("focusin", hold);
    node.addEventListener("mouseleave", release);
    node.addEventListener("focusout", release);
  }
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"])
    document.addEventListener(name, (event) => {
      // What the page asks by itself is nobody's deed: where the line broke, the sign of the live stream says so.
      const by = event.detail?.requestConfig?.triggeringEvent;
      if (by ? by.type === "uptake:live" : name === "htmx:sendError") return;
      toast({ title: wordsOf().failed, sub: wordsOf().failedSub, tone: "bad" });
    });

  // ---- relative times --------------------------------------------------------------------------------------------
  function agoAll() {
    const words = wordsOf();
    for (const node of document.querySelectorAll("time[data-ago]")) {
      const seconds = Math.floor((Date.now() - Date.parse(node.dateTime)) / 1000);
      if (seconds < 0 || seconds >= 86400) continue;
      const [word, n] = seconds < 1 ? [words.justNow, 0] : seconds < 60 ? [words.seconds, seconds]
        : seconds < 3600 ? [words.minutes, Math.floor(seconds / 60)] : [words.hours, Math.floor(seconds / 3600)];
      if (word) node.textContent = word.replace("%(n)s", n);
    }
  }
  setInterval(agoAll, 5000);

  // ---- live: one stream per visible tab, at most one paint per second --------------------------------------------
  // The server sends `award` (points to be told), `figures` (named figures of the page) and `events` (new in scope).
  const live = { source: null, after: "", waiting: [], figures: {}, events: 0, timer: null, poll: null, failures: 0 };
  live.after = document.querySelector("[data-live]")?.dataset.liveAfter ?? "";
  function liveNode() { return document.querySelector("[data-live]"); }
  function liveState(state) {
    const node = liveNode();
    if (!node) return;
    node.dataset.liveState = state;
    node.querySelector("span").textContent = node.dataset[state];
  }
  function take(kind, data, id) {
    if (id) live.after = id;
    if (kind === "hello") return;
    if (kind === "award" || kind === "notice") live.waiting.push(data);
    if (kind === "figures") Object.assign(live.figures, data);
    if (kind === "events") live.events += data.count;
    if (!live.timer) live.timer = setTimeout(paint, live.painted && Date.now() - live.painted < 1000 ? 1000 - (Date.now() - live.painted) : 0);
  }
  function unread(more) {
    const node = document.querySelector("[data-unread]");
    if (!node || !more) return;
    const total = Number(node.dataset.unread || 0) + more;
    node.dataset.unread = total;
    node.textContent = total > 99 ? "99+" : total;
    node.hidden = false;
  }
  function paint() {
    live.timer = null;
    live.painted = Date.now();
    const told = live.waiting.splice(0);
    if (told.length === 1) toast(told[0]);
    if (told.length > 1) {
      const box = document.querySelector(".u-toasts");
      const earned = told.filter((one) => one.points !== undefined);
      toast({ points: earned.length ? earned.reduce((sum, one) => sum + one.points, 0) : undefined, tone: told[told.length - 1].tone, title: told[told.length - 1].title,
        sub: "+" + (told.length - 1) + " " + box.dataset.more, href: told[told.length - 1].href });
    }
    for (const [name, value] of Object.entries(live.figures)) {
      for (const node of document.querySelectorAll(`[data-live-figure="${CSS.escape(name)}"]`)) node.textContent = value;
    }
    unread(told.filter((one) => one.points === undefined).length);
    if (told.length || live.events) {
      document.body.dispatchEvent(new CustomEvent("uptake:live", { bubbles: true, detail: { awards: told.length, events: live.events } }));
      for (const node of document.querySelectorAll("[data-live-count]")) {
        const total = Number(node.dataset.liveCount || 0) + live.events;
        node.dataset.liveCount = total;
        node.textContent = full(total);
        node.closest("[data-live-new]")?.toggleAttribute("hidden", total === 0);
      }
      live.events = 0;
    }
    live.figures = {};
  }
  function address() {
    const node = liveNode();
    const url = new URL(node.dataset.live, location.href);
    if (live.after) url.searchParams.set("after", live.after);
    const events = document.querySelector("[data-live-events]");
    if (events) url.searchParams.set("at", events.dataset.liveEvents || "");
    return url;
  }
  function listen() {
    if (!liveNode() || live.source || document.hidden) return;
    if (!window.EventSource || live.failures >= 3) { startPolling(); return; }
    const source = new EventSource(address());
    live.source = source;
    source.onopen = () => { live.failures = 0; stopPolling(); liveState("on"); };
    source.onerror = () => {
      liveState("off");
      if (source.readyState === EventSource.CLOSED) { live.failures += 1; close(); setTimeout(listen, 2000 * live.failures); }
    };
    for (const kind of ["award", "notice", "figures", "events"])
      source.addEventListener(kind, (event) => take(kind, JSON.parse(event.data), event.lastEventId));
    source.addEventListener("hello", (event) => { if (event.lastEventId) live.after = event.lastEventId; });
    source.addEventListener("bye", () => { close(); location.reload(); });
  }
  function close() { live.source?.close(); live.source = null; }
  function startPolling() {
    if (live.poll) return;
    liveState("poll");
    const ask = async () => {
      if (document.hidden) return;
      try {
        const url = address();
        url.pathname += "/since";
        const answer = await fetch(url, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.status);
        for (const one of (await answer.json()).messages) take(one.kind, one.data, one.id);
        liveState("poll");
      } catch { liveState("off"); }
    };
    ask();
    live.poll = setInterval(ask, 15000);
  }
  function stopPolling() { clearInterval(live.poll); live.poll = null; }
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else listen(); });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", listen);

  // ---- charts: described in the page, drawn when the bundle is there, redrawn when the theme changes -------------
  const charts = [];
  const css = (name) => getComputedStyle(doc).getPropertyValue("--u-" + name).trim();
  let bundle = null;
  function loadCharts() {
    bundle ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = me.dataset.charts;
      script.onload = done;
      script.onerror = failed;
      document.head.append(script);
    });
    return bundle;
  }
  function tipOf(spec, rows) {
    const box = document.createElement("div");
    box.className = "u-tipbox";
    const head = document.createElement("b");
    const along = spec.series.find((one) => one.shape === "along");
    head.textContent = !rows.length ? "" : along ? spec.labels[rows[0].dataIndex] : rows[0].name;
    box.append(head);
    for (const row of rows) {
      if (row.seriesName === undefined || row.seriesIndex >= spec.series.length) continue;
      const line = document.createElement("div");
      const name = document.createElement("span");
      name.textContent = row.seriesName;
      const value = document.createElement("span");
      const told = Array.isArray(row.value) ? row.value[1] : row.value;
      const own = spec.series[row.seriesIndex];
      value.textContent = written(told && own?.below ? -told : told, spec.format);
      if (own?.low.length && told !== null && told !== undefined && own.low[row.dataIndex] !== null)
        value.textContent += ` (${written(own.low[row.dataIndex], spec.format)} … ${written(own.high[row.dataIndex], spec.format)})`;
      line.append(name, value);
      box.append(line);
    }
    if (along && rows.length) {
      const line = document.createElement("div");
      const name = document.createElement("span");
      name.textContent = along.name;
      const value = document.createElement("span");
      value.textContent = written(along.values[rows[0].dataIndex], spec.format);
      line.append(name, value);
      box.append(line);
    }
    return box;
  }
  function optionOf(spec) {
    const font = getComputedStyle(document.body).fontFamily;
    const label = { color: css("axis"), fontSize: 12, fontFamily: font };
    const along = spec.series.find((one) => one.shape === "along");
    const names = along ? { type: "value", name: along.name, nameLocation: "middle", nameGap: 26, nameTextStyle: label, axisLine: { lineStyle: { color: css("line-2") } }, axisTick: { show: false },
      axisLabel: { ...label, formatter: (value) => compact(value) }, splitLine: { lineStyle: { color: css("grid") } } } : { type: "category", data: spec.labels, axisLine: { lineStyle: { color: css("line-2") } }, axisTick: { show: false },
      axisLabel: { ...label, hideOverlap: true, ...(spec.lying ? { width: 150, overflow: "truncate" } : {}) }, inverse: spec.lying,
      boundaryGap: spec.series.some((one) => ["bar", "tick", "stack", "dot"].includes(one.shape)) };
    const hanging = spec.series.some((one) => one.below);
    const numbers = { type: "value", axisLine: { show: false }, axisTick: { show: false }, splitNumber: 4, minInterval: spec.format === "number" ? 1 : 0,
      ...(spec.format === "share" ? { max: (range) => (range.max > 0.8 && range.max <= 1 ? 1 : null) } : {}),
      axisLabel: { ...label, formatter: (value) => (spec.format === "share" ? full(value * 100) + "%" : compact(hanging ? Math.abs(value) : value)) },
      splitLine: { lineStyle: { color: css("grid") } } };
    const series = spec.series.filter((one) => one.shape !== "along").map((one, nth) => {
      const colour = css(one.tone);
      if (one.shape === "line" || one.shape === "dash")
        return { name: one.name, type: "line", data: one.values, color: colour, symbolSize: 6, showAllSymbol: true,
          symbol: one.values.length > 1 && !(one.low.length && one.shape === "line") ? "none" : "circle",
          lineStyle: { width: one.shape === "dash" ? 1.5 : 2, type: one.shape === "dash" ? "dashed" : "solid", color: colour }, z: one.shape === "dash" ? 2 : 3 };
      if (one.shape === "dot")
        return { name: one.name, type: "custom", z: 4, color: colour, data: one.values.map((value, i) => [along ? along.values[i] : i, value, one.low[i] ?? value, one.high[i] ?? value]),
          encode: spec.lying ? { x: [1, 2, 3], y: 0 } : { x: 0, y: [1, 2, 3] },
          renderItem: (_, api) => {
            if (api.value(1) === null || Number.isNaN(api.value(1))) return null;
            const at = (value) => (spec.lying ? api.coord([value, api.value(0)]) : api.coord([api.value(0), value]));
            const [[x1, y1], [x2, y2], [cx, cy]] = [at(api.value(2)), at(api.value(3)), at(api.value(1))];
            return { type: "group", children: [{ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: colour, lineWidth: 2 } },
              { type: "circle", shape: { cx, cy, r: 4 }, style: { fill: colour } }] };
          } };
      if (one.shape === "tick")
        return { name: one.name, type: "custom", data: one.values.map((value, i) => [i, value]), z: 4, color: colour, encode: { x: 0, y: 1 },
          renderItem: (_, api) => {
            if (api.value(1) === null || Number.isNaN(api.value(1))) return null;
            const [x, y] = api.coord([api.value(0), api.value(1)]);
            const width = Math.min(api.size([1, 0])[0] * 0.62, 28);
            return { type: "rect", shape: { x: x - width / 2, y: y - 1, width, height: 2 }, style: { fill: colour } };
          } };
      const pale = new Set(one.pale);
      const open = new Set(one.open);
      const stacked = one.shape === "stack";
      return { name: one.name, type: "bar", color: colour, barMaxWidth: 28, barCategoryGap: "32%", barGap: "10%", ...(stacked ? { stack: "all" } : {}),
        data: one.values.map((value, i) => ({ value: one.below && value !== null ? -value : value, itemStyle: { color: colour, opacity: pale.has(i) ? 0.42 : open.has(i) ? 0.25 : 0.9,
          borderRadius: stacked ? 0 : spec.lying ? [0, 2, 2, 0] : [2, 2, 0, 0],
          ...(open.has(i) ? { borderColor: colour, borderWidth: 1.5, borderType: "dashed" } : {}) } })),
        cursor: spec.links.length ? "pointer" : "default", z: 2 + nth / 10 };
    });
    if (series.length && spec.shades.length)
      series[0].markArea = { silent: true, itemStyle: { color: css("holiday") },
        label: { show: true, position: "insideTop", distance: 4, color: css("ink-3"), fontSize: 12, fontFamily: font },
        data: spec.shades.map((one) => [{ xAxis: one.start, name: one.label }, { xAxis: one.end }]) };
    if (series.length && spec.marks.length)
      series[0].markLine = { silent: true, symbol: "none", lineStyle: { color: css("ink-3"), type: "dotted" },
        label: { color: css("ink-2"), fontSize: 12, fontFamily: font, formatter: (one) => one.name },
        data: spec.marks.map((one) => ({ xAxis: one.at, name: one.label, label: { align: sideOf(one.at, spec.labels.length) } })) };
    for (const one of spec.series)
      if (one.low.length && one.shape !== "dot") series.push(...bandOf(one));
    if (series.length && spec.levels.length) {
      const lines = (series[0].markLine ??= { silent: true, symbol: "none", data: [] });
      lines.data.push(...spec.levels.map((one) => ({ [spec.lying ? "xAxis" : "yAxis"]: one.at, label: { show: false }, lineStyle: { color: css(one.tone), type: "dashed" } })));
    }
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    return { animation: !calm, animationDuration: 280, textStyle: { fontFamily: font, fontSize: 12 },
      grid: { left: 4, right: 24, top: spec.marks.length ? 26 : 12, bottom: along ? 26 : 4, containLabel: true },
      xAxis: spec.lying ? numbers : names, yAxis: spec.lying ? names : numbers, series,
      tooltip: { trigger: along ? "item" : "axis", confine: true, backgroundColor: css("surface"), borderColor: css("line-2"), borderWidth: 1, padding: [8, 10],
        textStyle: { color: css("ink"), fontSize: 12, fontFamily: font }, axisPointer: { type: "line", lineStyle: { color: css("line-2"), type: "solid" } },
        formatter: (rows) => tipOf(spec, [rows].flat()) } };
  }
  /** The band of an interval: what lies under it unseen, and upon that its width. */
  function bandOf(one) {
    const stack = "band " + one.name;
    const width = one.values.map((_, i) => (one.low[i] === null || one.high[i] === null ? null : one.high[i] - one.low[i]));
    const plain = { type: "line", stack, stackStrategy: "all", symbol: "none", silent: true, lineStyle: { opacity: 0 }, z: 1 };
    return [{ ...plain, data: one.low }, { ...plain, data: width, areaStyle: { color: css(one.tone), opacity: 0.14 } }];
  }
  /** A label near an end of the axis reaches inwards, so that it is not cut off. */
  function sideOf(at, many) {
    return at < many / 8 ? "left" : at >= (many * 7) / 8 ? "right" : "center";
  }
  function sankeyOf(spec) {
    const font = getComputedStyle(document.body).fontFamily;
    const known = new Map(spec.nodes.map((one) => [one.id, one]));
    const columns = spec.heads.length;
    const part = (value) => `${full(value)} (${full((value * 100) / spec.total, 1)}%)`;
    return { animation: false, textStyle: { fontFamily: font, fontSize: 12 },
      tooltip: { trigger: "item", confine: true, backgroundColor: css("surface"), borderColor: css("line-2"), borderWidth: 1, padding: [8, 10],
        textStyle: { color: css("ink"), fontSize: 12, fontFamily: font },
        formatter: ({ dataType, data }) => {
          const box = document.createElement("div");
          box.className = "u-tipbox";
          const head = document.createElement("b");
          head.textContent = dataType === "edge" ? `${known.get(data.source).name} → ${known.get(data.target).name}` : data.t;
          const line = document.createElement("div");
          line.textContent = part(dataType === "edge" ? data.value : data.v);
          box.append(head, line);
          return box;
        } },
      series: [
        { type: "sankey", left: 0, right: `${Math.round(72 / columns)}%`, top: 6, bottom: 4, nodeWidth: 10, nodeGap: 9, nodeAlign: "left", draggable: false, layoutIterations: 0,
          emphasis: { focus: "adjacency" },
          data: spec.nodes.map((one) => ({ name: one.id, depth: one.step, t: one.name, v: one.value, href: one.href, itemStyle: { color: css(one.tone), borderWidth: 0 } })),
          links: spec.links.map((one) => {
            const leaves = known.get(one.target).tone === "c6";
            return { ...one, lineStyle: { color: css(leaves ? "c6" : known.get(one.source).tone), opacity: leaves ? 0.16 : 0.26, curveness: 0.5 } };
          }),
          label: { color: css("ink"), fontSize: 12, fontFamily: font, textBorderColor: css("surface"), textBorderWidth: 3, width: columns < 6 && innerWidth > 1200 ? 190 : 150, overflow: "truncate",
            formatter: ({ data }) => `${data.t}  {n|${compact(data.v)}}`, rich: { n: { color: css("ink-2"), fontSize: 12 } } } },
      ] };
  }
  function draw(chart) {
    chart.drawn?.dispose();
    chart.drawn = window.echarts.init(chart.node, null, { renderer: "svg" });
    if (chart.spec.kind === "sankey") {
      chart.drawn.setOption(sankeyOf(chart.spec));
      chart.drawn.on("click", ({ data }) => { if (data?.href) location.assign(data.href); });
      return;
    }
    chart.drawn.setOption(optionOf(chart.spec));
    if (chart.spec.links.length) chart.drawn.on("click", (event) => { if (event.dataIndex !== undefined) location.assign(chart.spec.links[event.dataIndex]); });
    chart.node.setAttribute("role", "img");
    chart.node.setAttribute("aria-label", chart.spec.label);
  }
  function redraw() { charts.forEach((chart) => chart.drawn && draw(chart)); }
  function findCharts(root) {
    for (const values of root.querySelectorAll("script[data-chart-values]")) {
      const node = document.getElementById(values.dataset.chartValues);
      if (!node || node.dataset.drawn) continue;
      node.dataset.drawn = "1";
      const chart = { node, spec: JSON.parse(values.textContent), drawn: null };
      charts.push(chart);
      const seen = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        seen.disconnect();
        loadCharts().then(() => { draw(chart); new ResizeObserver(() => chart.drawn?.resize()).observe(node); })
          .catch(() => node.closest(".u-fig").querySelector("[data-table]").click());
      }, { rootMargin: "200px" });
      seen.observe(node);
    }
    for (let i = charts.length - 1; i >= 0; i -= 1)
      if (!charts[i].node.isConnected) { charts[i].drawn?.dispose(); charts.splice(i, 1); }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-table]");
    if (!button) return;
    const plot = document.getElementById(button.dataset.table);
    const table = plot.closest(".u-fig").querySelector(".tbl");
    table.hidden = !table.hidden;
    plot.hidden = !table.hidden;
    button.setAttribute("aria-pressed", String(!table.hidden));
    charts.find((chart) => chart.node === plot)?.drawn?.resize();
  });

  // ---- small things ----------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.u-pick[open]")) if (!open.contains(event.target)) open.open = false;
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText(document.getElementById(copy.dataset.copy).textContent.trim()).then(() => toast({ title: copy.dataset.copied, tone: "good" }));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const open of document.querySelectorAll("details.u-pick[open]")) { open.open = false; open.querySelector("summary").focus(); }
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-narrow]")) return;
    const wanted = event.target.value.trim().toLowerCase();
    const holds = (node) => node.textContent.toLowerCase().includes(wanted);
    for (const part of document.getElementById(event.target.dataset.narrow).querySelectorAll("[data-narrowed]")) {
      const whole = holds(part.querySelector("summary"));
      const rows = [...part.querySelectorAll("tbody tr")];
      for (const row of rows) row.hidden = !whole && !holds(row);
      part.hidden = rows.every((row) => row.hidden);
      if (wanted && !part.hidden) part.open = true;
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });
  document.addEventListener("htmx:load", (event) => findCharts(event.detail.elt));
  document.addEventListener("htmx:afterSettle", agoAll);

  // countries stand in the page by their codes; the browser knows their names in every language
  if (window.Intl?.DisplayNames) {
    const regions = new Intl.DisplayNames([doc.lang || "en"], { type: "region" });
    for (const one of document.querySelectorAll("[data-regions] option")) if (one.value.length === 2) one.textContent = `${regions.of(one.value)} (${one.value})`;
  }

  const tab = document.querySelector(".u-kinds .on");
  if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - 40;
  findCharts(document);
  listen();
  window.U = { full, compact, toast, redraw };
})();
