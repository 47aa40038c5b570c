// Curves as SVG, drawn in the width that the page has for them: schedules, and anything else.
(function (global) {
  "use strict";

  const [LEFT, RIGHT, TOP, BOTTOM] = [58, 10, 10, 38];

  function svg(name, attributes, text = "") {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  }

  // An axis: its marks, and where a value lies between its ends. Marks stand at 1, 2 or 5 times a
  // power of ten, with at most so many intervals between them.
  function linear(low, high, most) {
    const span = high - low || high || 1;
    const power = 10 ** Math.floor(Math.log10(span / most));
    const unit = [1, 2, 5, 10].map((m) => m * power).find((u) => span / u <= most);
    const first = Math.floor(low / unit + 1e-9);
    const count = Math.ceil(high / unit - 1e-9) - first;
    const marks = Array.from({ length: count + 1 }, (_, i) => (first + i) * unit);
    return { marks, share: (v) => (v - marks[0]) / (marks.at(-1) - marks[0]) };
  }

  function logarithmic(low, high) {
    const [a, b] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    const count = Math.max(b - a, 1);
    const marks = Array.from({ length: count + 1 }, (_, i) => 10 ** (a + i));
    return { marks, share: (v) => (Math.log10(Math.max(v, marks[0])) - a) / count };
  }

  // Updates, from 0 to the last one: marks at the ends of even intervals.
  function updates(stop, width) {
    const { marks } = linear(0, stop, width < 430 ? 4 : 8);
    return { marks: marks.filter((t) => t <= stop), share: (t) => t / stop };
  }

  function label(x) {
    if (x === 0) return "0";
    if (x >= 1e-3) return String(Number(x.toPrecision(6))); // 0.30000000000000004 is 0.3
    return x.toExponential().replace(/(\.\d*?)0*e/, "$1e").replace(".e", "e").replace("-", "−");
  }

  // Curves are lists of points with a class, dots are points with a class; what is not a number is
  // left out, and what lies beyond an axis stands at its end.
  global.lrlabPlot = function ({ x, y, xlabel, ylabel, said, curves, dots, width, height }) {
    const right = Math.max(width, 240) - RIGHT;
    const bottom = height - BOTTOM;
    const bound = (s) => Math.min(1, Math.max(0, s));
    const across = (v) => LEFT + (right - LEFT) * bound(x.share(v));
    const up = (v) => bottom - (bottom - TOP) * bound(y.share(v));
    const text = (x, y, words, more) =>
      made.append(svg("text", { x, y, "text-anchor": "middle", ...more }, words));
    const made = svg("svg", {
      viewBox: `0 0 ${right + RIGHT} ${height}`, role: "img", "aria-label": said,
    });
    for (const mark of y.marks) {
      made.append(svg("path", { class: "grid", d: `M${LEFT} ${up(mark)}H${right}` }));
      text(LEFT - 6, up(mark) + 4, label(mark), { "text-anchor": "end" });
    }
    for (const mark of x.marks) {
      made.append(svg("path", { class: "tick", d: `M${across(mark)} ${bottom}v4` }));
      text(across(mark), bottom + 17, (x.label ?? label)(mark));
    }
    made.append(svg("path", { class: "axis", d: `M${LEFT} ${TOP}V${bottom}H${right}` }));
    text((LEFT + right) / 2, height - 4, xlabel);
    text(0, 0, ylabel, { transform: `translate(12 ${(TOP + bottom) / 2}) rotate(-90)` });
    for (const [points, kind] of curves) {
      const seen = points.filter(([, v]) => Number.isFinite(v));
      const steps = seen.map(([u, v]) => `${across(u).toFixed(1)} ${up(v).toFixed(1)}`);
      made.append(svg("path", { class: `curve ${kind}`, d: `M${steps.join("L")}` }));
    }
    for (const [[u, v], kind, r] of dots) {
      made.append(svg("circle", { class: kind, r, cx: across(u), cy: up(v) }));
    }
    return made;
  };

  // Schedules as pairs of description and class; the step that is read is marked on the last one.
  // The axis reaches from 0 to `top`, or as far as it has to.
  global.lrlabChart = function (curves, stop, how) {
    const { step = null, log = false, top = 0, width, height } = how;
    const { rate } = global.lrlabSchedules;
    const spread = Array.from({ length: 1201 }, (_, i) => Math.round((stop * i) / 1200));
    const samples = [...new Set(spread)];
    const values = curves.map(([description]) => samples.map((t) => rate(description, t)));
    const all = values.flat();
    const highest = Math.max(top, ...all);
    const lowest = () => Math.max(Math.min(...all.filter((y) => y > 0)), highest * 1e-6);
    const [description] = curves.at(-1);
    const said = [0, Math.round(stop / 2), stop].map(
      (t) => `${label(rate(description, t))} at step ${t}`,
    );
    return global.lrlabPlot({
      x: updates(stop, width),
      y: log ? logarithmic(lowest(), highest) : linear(0, highest, 5),
      xlabel: "step",
      ylabel: "learning rate",
      said: `Learning rate against step: ${said.join(", ")}.`,
      curves: curves.map(([, kind], i) => [samples.map((t, j) => [t, values[i][j]]), kind]),
      dots: step === null ? [] : [[[step, rate(description, step)], "mark", 4.5]],
      width,
      height: height ?? (width < 430 ? 210 : 280),
    });
  };

  global.lrlabAxes = { linear, updates, label };
})(window);
