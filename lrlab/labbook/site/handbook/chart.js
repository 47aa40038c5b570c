// Curves of schedules as SVG, drawn in the width that the page has for them.
(function (global) {
  "use strict";

  const [LEFT, RIGHT, TOP, BOTTOM] = [58, 10, 10, 38];

  function svg(name, attributes, text = "") {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  }

  // Ticks at 1, 2 or 5 times a power of ten, at most so many intervals of them.
  function ticks(top, most) {
    const power = 10 ** Math.floor(Math.log10(top / most));
    const unit = [1, 2, 5, 10].map((m) => m * power).find((u) => top / u <= most);
    return Array.from({ length: Math.ceil(top / unit - 1e-9) + 1 }, (_, i) => i * unit);
  }

  function label(x) {
    if (x === 0) return "0";
    if (x >= 1e-3) return String(Number(x.toPrecision(6))); // 0.30000000000000004 is 0.3
    return x.toExponential().replace(/(\.\d*?)0*e/, "$1e").replace(".e", "e").replace("-", "−");
  }

  // Curves as pairs of description and class; the step that is read is marked on the last.
  global.lrlabChart = function (curves, stop, step, log, width) {
    const { rate } = global.lrlabSchedules;
    const right = Math.max(width, 240) - RIGHT;
    const height = right < 420 ? 210 : 280;
    const bottom = height - BOTTOM;
    const spread = Array.from({ length: 1201 }, (_, i) => Math.round((stop * i) / 1200));
    const samples = [...new Set(spread)];
    const values = curves.map(([description]) => samples.map((t) => rate(description, t)));
    const all = values.flat();
    const top = Math.max(...all);
    let marks = ticks(top, 5);
    let share = (y) => y / marks.at(-1);
    if (log) {
      const lowest = Math.max(Math.min(...all.filter((y) => y > 0)), top * 1e-6);
      const [a, b] = [Math.floor(Math.log10(lowest)), Math.ceil(Math.log10(top))];
      const count = Math.max(b - a, 1);
      marks = Array.from({ length: count + 1 }, (_, i) => 10 ** (a + i));
      share = (y) => (Math.log10(Math.max(y, marks[0])) - a) / count;
    }
    const x = (t) => LEFT + ((right - LEFT) * t) / stop;
    const y = (value) => bottom - (bottom - TOP) * share(value);

    const [description] = curves.at(-1);
    const said = [0, Math.round(stop / 2), stop].map(
      (t) => `${label(rate(description, t))} at step ${t}`,
    );
    const text = (x, y, words, more) =>
      made.append(svg("text", { x, y, "text-anchor": "middle", ...more }, words));
    const made = svg("svg", {
      viewBox: `0 0 ${right + RIGHT} ${height}`, role: "img",
      "aria-label": `Learning rate against step: ${said.join(", ")}.`,
    });
    for (const mark of marks) {
      made.append(svg("path", { class: "grid", d: `M${LEFT} ${y(mark)}H${right}` }));
      text(LEFT - 6, y(mark) + 4, label(mark), { "text-anchor": "end" });
    }
    for (const mark of ticks(stop, right < 420 ? 4 : 8).filter((t) => t <= stop)) {
      made.append(svg("path", { class: "tick", d: `M${x(mark)} ${bottom}v4` }));
      text(x(mark), bottom + 17, String(mark));
    }
    made.append(svg("path", { class: "axis", d: `M${LEFT} ${TOP}V${bottom}H${right}` }));
    text((LEFT + right) / 2, height - 4, "step");
    text(0, 0, "learning rate", { transform: `translate(12 ${(TOP + bottom) / 2}) rotate(-90)` });
    curves.forEach(([, kind], i) => {
      const points = samples.map((t, j) => `${x(t).toFixed(1)} ${y(values[i][j]).toFixed(1)}`);
      made.append(svg("path", { class: `curve ${kind}`, d: `M${points.join("L")}` }));
    });
    const [cx, cy] = [x(step), y(rate(description, step))];
    made.append(svg("circle", { class: "mark", r: 4.5, cx, cy }));
    return made;
  };
})(window);
