"use strict";
// The page of a sweep: ranges on parallel coordinates choose trials; table and curves follow.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const trials = data.trials, sign = data.maximize ? -1 : 1;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = () => document.documentElement.clientWidth < 640;
  const NS = "http://www.w3.org/2000/svg";
  const rows = new Map([...document.querySelectorAll("tbody tr[data-n]")].map((r) => [+r.dataset.n, r]));
  const marked = new Set(), shown = new Set(data.outcomes);
  const logY = document.getElementById("log-y"), logX = document.getElementById("log-x");

  const make = (parent, name, attributes = {}, text) => {
    const node = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    parent.append(node);
    return node;
  };
  const format = (x) => {
    if (x === 0) return "0";
    const size = Math.abs(x);
    if (size >= 1e5 || size < 1e-3) return x.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
    return String(+x.toPrecision(4));
  };

  // An axis maps values to places from 0 to 1 and back.
  function scale(kind, low, high) {
    if (!(high > low)) { const d = Math.abs(low) * 0.1 || 1; low -= d; high += d; if (low <= 0) kind = "linear"; }
    const log = kind === "log" && low > 0;
    const f = log ? Math.log : (x) => x, g = log ? Math.exp : (x) => x;
    const place = (x) => (f(x) - f(low)) / (f(high) - f(low));
    const value = (t) => g(f(low) + t * (f(high) - f(low)));
    return { log, low, high, place, value, ticks: (n) => ticks(log, low, high, n) };
  }
  function ticks(log, low, high, n) {
    if (log) {
      const found = [], first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
      for (const steps of [[1], [1, 3], [1, 2, 5]]) {
        found.length = 0;
        for (let e = first; e <= last; e++) for (const m of steps) {
          const x = m * 10 ** e;
          if (x >= low * 0.9999 && x <= high * 1.0001) found.push(+x.toPrecision(12));
        }
        if (found.length >= 3) break;
      }
      if (found.length >= 2) { const every = Math.ceil(found.length / n); return found.filter((_, i) => i % every === 0); }
    }
    const raw = (high - low) / Math.max(1, n - 1), base = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * base).find((s) => s >= raw * 0.999);
    const found = [];
    for (let x = Math.ceil(low / step) * step; x <= high + step * 1e-9; x += step) found.push(+x.toPrecision(12));
    return found;
  }

  // The last axis is the metric; each axis keeps the range that is chosen on it.
  const values = trials.map((t) => t.v).filter((v) => v !== null);
  const axes = data.axes.map((a, i) => {
    if (a.kind === "choice") {
      const last = Math.max(1, a.options.length - 1);
      const place = (k) => (a.options.length > 1 ? k / last : 0.5);
      return { ...a, of: (t) => t.p[i], place, text: (x) => a.options[x],
        ticks: () => a.options.map((_, k) => k), value: (t) => Math.round(t * last), range: [0, 1] };
    }
    return { ...a, ...scale(a.kind, a.low, a.high), of: (t) => t.p[i], text: format, range: [0, 1] };
  });
  const metric = { name: data.metric, of: (t) => t.v, text: format, range: [0, 1] };
  axes.push(metric);
  function scaleMetric() {
    if (!values.length) return Object.assign(metric, scale("linear", 0, 1));
    Object.assign(metric, scale(logY.checked ? "log" : "linear", Math.min(...values), Math.max(...values)));
  }

  const within = (t) => shown.has(t.o) && axes.every((a) => {
    const [low, high] = a.range, x = a.of(t);
    if (low <= 0 && high >= 1) return true;
    if (x === null) return false;
    const place = a.place(x);
    return place >= low - 1e-9 && place <= high + 1e-9;
  });
  const order = trials.filter((t) => t.v !== null).sort((a, b) => sign * (a.v - b.v));
  const rank = new Map(order.map((t, k) => [t.n, order.length > 1 ? k / (order.length - 1) : 0]));
  const top = new Set(order.filter((t) => t.o === "completed").slice(0, 5).map((t) => t.n));
  const stops = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [190, 200, 50]];
  function colour(t) {
    if (!rank.has(t.n)) return dark.matches ? "#8a8a94" : "#8a8a94";
    let r = rank.get(t.n);
    if (dark.matches) r = 1 - r * 0.75; else r *= 0.9;
    const x = r * (stops.length - 1), i = Math.min(stops.length - 2, Math.floor(x)), f = x - i;
    return `rgb(${stops[i].map((c, k) => Math.round(c + f * (stops[i + 1][k] - c))).join(",")})`;
  }
  const title = (t) => `trial ${t.n}, ${t.o}` + (t.v === null ? "" : `: ${data.metric} ${format(t.v)}`);

  // Parallel coordinates: upright on a wide page, lying on a narrow one.
  const pc = document.getElementById("coordinates");
  let lines = [];
  function drawCoordinates() {
    const focused = document.activeElement?.dataset?.handle;
    pc.replaceChildren();
    const width = Math.max(280, pc.clientWidth), lying = narrow();
    const height = lying ? 92 * axes.length - 12 : 380;
    pc.setAttribute("viewBox", `0 0 ${width} ${height}`);
    pc.style.height = `${height}px`;
    const length = lying ? width - 36 : height - 76, gap = lying ? 92 : (width - 150) / Math.max(1, axes.length - 1);
    const at = (i, t) => (lying ? [18 + t * length, 34 + i * gap] : [80 + i * gap, 40 + (1 - t) * length]);
    const paths = make(pc, "g");
    lines = [];
    for (const t of [...trials].sort((a, b) => (rank.get(b.n) ?? 2) - (rank.get(a.n) ?? 2))) {
      let path = "", pen = "M";
      axes.forEach((a, i) => {
        const x = a.of(t);
        if (x === null) return;
        path += pen + at(i, Math.min(1, Math.max(0, a.place(x)))).map((c) => c.toFixed(1)).join(",");
        pen = "L";
      });
      const line = make(paths, "path", { d: path || "M0,0", class: "trial", stroke: colour(t) });
      if (t.o === "stopped") line.setAttribute("stroke-dasharray", "4 3");
      make(line, "title", {}, title(t));
      lines.push([t, line]);
    }
    axes.forEach((a, i) => drawAxis(a, i, at, length, lying));
    if (focused) pc.querySelector(`[data-handle="${focused}"]`)?.focus();
    refresh();
  }
  function drawAxis(a, i, at, length, lying) {
    const group = make(pc, "g"), [x0, y0] = at(i, 0), [x1, y1] = at(i, 1);
    const label = a.name.length > 18 && !lying ? "…" + a.name.slice(-17) : a.name;
    const name = lying ? make(group, "text", { x: 18, y: y0 - 18, "font-weight": 600, class: "halo" }, label)
      : make(group, "text", { x: x0, y: 16, "text-anchor": i === axes.length - 1 ? "end" : "middle", "font-weight": 600 }, label);
    if (!lying && i === axes.length - 1) name.setAttribute("x", x0 + 40);
    make(name, "title", {}, a.name);
    make(group, "line", { x1: x0, y1: y0, x2: x1, y2: y1, class: "axis" });
    let last = -1e9;
    for (const x of a.ticks(lying ? 5 : 7)) {
      const t = a.place(x), [tx, ty] = at(i, t), text = String(a.text(x)).slice(0, 14);
      make(group, "line", lying ? { x1: tx, y1: ty, x2: tx, y2: ty + 4, class: "axis" } : { x1: tx - 4, y1: ty, x2: tx, y2: ty, class: "axis" });
      if (lying) {
        const half = text.length * 3.4, from = t < 0.04 ? tx : t > 0.96 ? tx - 2 * half : tx - half;
        if (from < last + 4) continue;
        last = from + 2 * half;
        make(group, "text", { x: tx, y: ty + 17, "text-anchor": t < 0.04 ? "start" : t > 0.96 ? "end" : "middle", class: "halo" }, text);
      } else make(group, "text", { x: tx - 7, y: ty + 4, "text-anchor": "end", class: "halo" }, text);
    }
    const strip = make(group, "rect", lying ? { x: x0 - 8, y: y0 - 13, width: length + 16, height: 26, class: "strip" }
      : { x: x0 - 13, y: y1 - 8, width: 26, height: length + 16, class: "strip" });
    const band = make(group, "rect", { class: "range" });
    const handles = ["lowest", "highest"].map((word, k) => {
      const handle = make(group, "rect", { class: "handle", rx: 3, tabindex: 0, role: "slider",
        "aria-label": `${word} ${a.name}`, "aria-valuemin": 0, "aria-valuemax": 100,
        "aria-orientation": lying ? "horizontal" : "vertical", "data-handle": `${i}-${k}` });
      handle.addEventListener("keydown", (event) => {
        const step = a.kind === "choice" ? 1 / Math.max(1, a.options.length - 1) : 0.01;
        const move = { ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step, PageUp: 10 * step,
          PageDown: -10 * step, Home: -2, End: 2 }[event.key];
        if (move === undefined) return;
        event.preventDefault();
        set(k, a.range[k] + move);
      });
      return handle;
    });
    const show = () => {
      const [low, high] = a.range, [lx, ly] = at(i, low), [hx, hy] = at(i, high);
      const box = lying ? { x: lx, y: ly - 6, width: Math.max(1, hx - lx), height: 12 } : { x: hx - 6, y: hy, width: 12, height: Math.max(1, ly - hy) };
      for (const [key, value] of Object.entries(box)) band.setAttribute(key, value);
      band.style.display = low <= 0 && high >= 1 ? "none" : "";
      handles.forEach((handle, k) => {
        const [hx, hy] = at(i, a.range[k]), out = k ? 1 : -1;
        const place = lying ? { x: hx - 5 + 4 * out, y: hy - 9, width: 10, height: 18 } : { x: hx - 9, y: hy - 5 - 4 * out, width: 18, height: 10 };
        for (const [key, value] of Object.entries(place)) handle.setAttribute(key, value);
        handle.setAttribute("aria-valuenow", Math.round(100 * a.range[k]));
        handle.setAttribute("aria-valuetext", String(a.text(a.value(a.range[k]))));
      });
    };
    const set = (k, t) => {
      t = Math.min(1, Math.max(0, t));
      a.range[k] = k ? Math.max(t, a.range[0]) : Math.min(t, a.range[1]);
      show(); refresh();
    };
    const where = (event) => {
      const box = pc.getBoundingClientRect();
      const t = lying ? (event.clientX - box.left - 18) / length : 1 - (event.clientY - box.top - 40) / length;
      return Math.min(1, Math.max(0, t));
    };
    for (const target of [strip, band, ...handles]) target.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const k = handles.indexOf(target), from = where(event);
      if (k >= 0) target.focus();
      target.setPointerCapture(event.pointerId);
      const move = (e) => {
        const t = where(e);
        if (k >= 0) set(k, t);
        else { a.range = [Math.min(from, t), Math.max(from, t)]; show(); refresh(); }
      };
      const up = () => {
        target.removeEventListener("pointermove", move);
        if (k < 0 && a.range[1] - a.range[0] < 0.01) { a.range = [0, 1]; show(); refresh(); }
      };
      target.addEventListener("pointermove", move);
      target.addEventListener("pointerup", up, { once: true });
      target.addEventListener("pointercancel", up, { once: true });
    });
    a.show = show;
    show();
  }

  // Curves of the trials that are within the ranges.
  const cv = document.getElementById("curves");
  let drawn = [];
  function drawCurves() {
    cv.replaceChildren();
    const width = Math.max(280, cv.clientWidth), height = narrow() ? 280 : 340;
    cv.setAttribute("viewBox", `0 0 ${width} ${height}`);
    cv.style.height = `${height}px`;
    const points = trials.flatMap((t) => t.y.filter((y) => y !== null));
    const steps = trials.flatMap((t) => t.s);
    drawn = [];
    if (!points.length) return make(cv, "text", { x: 10, y: 30 }, "No trial has said a value yet.");
    points.sort((a, b) => a - b);
    const cut = (q) => points[Math.min(points.length - 1, Math.floor(q * points.length))];
    const [low, high] = sign > 0 ? [points[0], cut(0.98)] : [cut(0.02), points[points.length - 1]];
    const y = scale(logY.checked ? "log" : "linear", low, high);
    const x = scale(logX.checked ? "log" : "linear", logX.checked ? Math.min(...steps.filter((s) => s > 0)) : 0, Math.max(...steps));
    const X = (s) => 58 + Math.max(0, x.place(Math.max(s, x.log ? x.low : s))) * (width - 72);
    const Y = (v) => 12 + (1 - Math.min(1, Math.max(0, y.place(v)))) * (height - 56);
    for (const v of y.ticks(6)) {
      make(cv, "line", { x1: 58, x2: width - 14, y1: Y(v), y2: Y(v), class: "grid" });
      make(cv, "text", { x: 52, y: Y(v) + 4, "text-anchor": "end" }, format(v));
    }
    for (const s of x.ticks(narrow() ? 4 : 7)) {
      make(cv, "line", { x1: X(s), x2: X(s), y1: 12, y2: height - 44, class: "grid" });
      make(cv, "text", { x: X(s), y: height - 26, "text-anchor": "middle" }, format(s));
    }
    make(cv, "text", { x: width / 2, y: height - 6, "text-anchor": "middle" }, data.steps);
    for (const t of [...trials].sort((a, b) => (rank.get(b.n) ?? 2) - (rank.get(a.n) ?? 2))) {
      let path = "", pen = "M";
      t.y.forEach((v, k) => {
        if (v === null || (x.log && t.s[k] <= 0)) { pen = "M"; return; }
        path += `${pen}${X(t.s[k]).toFixed(1)},${Y(v).toFixed(1)}`;
        pen = "L";
      });
      if (!path) continue;
      const line = make(cv, "path", { d: t.y.length > 1 ? path : path + "h3", class: "trial", stroke: colour(t) });
      if (t.o === "stopped") line.setAttribute("stroke-dasharray", "4 3");
      make(line, "title", {}, title(t));
      drawn.push([t, line]);
    }
  }

  // What was found best, trial by trial.
  const bs = document.getElementById("best");
  function drawBest() {
    bs.replaceChildren();
    const width = Math.max(280, bs.clientWidth), height = 220;
    bs.setAttribute("viewBox", `0 0 ${width} ${height}`);
    bs.style.height = `${height}px`;
    const found = [];
    let best = null;
    for (const t of trials) {
      if (t.o === "completed" && t.v !== null && (best === null || sign * (t.v - best) < 0)) best = t.v;
      if (best !== null) found.push([t.n, best]);
    }
    if (!found.length) return make(bs, "text", { x: 10, y: 30 }, "No trial was completed.");
    const ends = found.map((f) => f[1]), y = scale(logY.checked ? "log" : "linear", Math.min(...ends), Math.max(...ends));
    const x = scale("linear", 0, Math.max(1, trials[trials.length - 1].n));
    const X = (n) => 58 + x.place(n) * (width - 72), Y = (v) => 12 + (1 - y.place(v)) * (height - 56);
    for (const v of y.ticks(5)) {
      make(bs, "line", { x1: 58, x2: width - 14, y1: Y(v), y2: Y(v), class: "grid" });
      make(bs, "text", { x: 52, y: Y(v) + 4, "text-anchor": "end" }, format(v));
    }
    for (const n of x.ticks(narrow() ? 5 : 8)) make(bs, "text", { x: X(n), y: height - 26, "text-anchor": "middle" }, format(n));
    make(bs, "text", { x: width / 2, y: height - 6, "text-anchor": "middle" }, "trial");
    let path = `M${X(found[0][0])},${Y(found[0][1])}`;
    for (const [n, v] of found.slice(1)) path += `H${X(n)}V${Y(v)}`;
    make(bs, "path", { d: path + "h2", class: "trial marked", stroke: "var(--accent)" });
  }

  const status = document.getElementById("status"), only = document.getElementById("only");
  function refresh() {
    let count = 0;
    const inside = new Map(trials.map((t) => [t.n, within(t) && !(only.checked && marked.size && !marked.has(t.n))]));
    for (const t of trials) {
      if (inside.get(t.n)) count++;
      rows.get(t.n)?.classList.toggle("out", !inside.get(t.n));
    }
    for (const [t, line] of [...lines, ...drawn]) {
      line.classList.toggle("out", !inside.get(t.n));
      line.classList.toggle("marked", marked.has(t.n));
      line.classList.toggle("best", !marked.size && top.has(t.n));
    }
    status.textContent = `${count} of ${trials.length} trials`;
  }
  function draw() { scaleMetric(); drawCoordinates(); drawCurves(); drawBest(); refresh(); }

  // The table: sorted by any column, a check mark for each trial.
  const body = document.querySelector("#trials tbody");
  document.querySelectorAll("#trials thead th[data-column]").forEach((head) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      document.querySelectorAll("#trials thead th").forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const k = +head.dataset.column, key = (row) => row.cells[k].dataset.v ?? row.cells[k].textContent;
      const compare = (a, b) => {
        const [x, y] = [key(a), key(b)], [m, n] = [parseFloat(x), parseFloat(y)];
        if (x === "" || y === "") return (x === "") - (y === "");
        const by = Number.isNaN(m) || Number.isNaN(n) ? x.localeCompare(y) : m - n;
        return down ? -by : by;
      };
      body.append(...[...rows.values()].sort(compare));
    });
  });
  rows.forEach((row, n) => row.querySelector("input").addEventListener("change", (event) => {
    if (event.target.checked) marked.add(n); else marked.delete(n);
    refresh();
  }));
  document.querySelectorAll("input[data-outcome]").forEach((box) => box.addEventListener("change", () => {
    if (box.checked) shown.add(box.dataset.outcome); else shown.delete(box.dataset.outcome);
    refresh();
  }));
  document.getElementById("clear").addEventListener("click", () => {
    axes.forEach((a) => { a.range = [0, 1]; a.show(); });
    refresh();
  });
  only.addEventListener("change", refresh);
  [logY, logX].forEach((box) => box.addEventListener("change", draw));
  dark.addEventListener("change", draw);
  let width = 0;
  new ResizeObserver(() => {
    if (document.documentElement.clientWidth !== width) { width = document.documentElement.clientWidth; draw(); }
  }).observe(document.documentElement);
  draw();
})();
