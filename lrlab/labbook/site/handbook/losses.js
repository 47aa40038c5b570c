// The loss explorer: sliders move through runs that entries of the log recorded.
(function () {
  "use strict";

  const page = document.querySelector(".lrlab-losses");
  if (!page) return;
  const { tidy, show, element, say, ...controls } = window.lrlabControls;
  const { linear, label } = window.lrlabAxes;

  // The entries, as the page lists them, and the runs of each once its file was read.
  const entries = [...page.querySelectorAll("[data-runs]")].map((found) => ({
    name: found.dataset.entry, title: found.dataset.title, file: found.dataset.runs,
  }));
  const read = {};

  // What a file of runs calls: it gives null for the runs where they are damaged.
  window.lrlabRecorded = (name, given) => {
    try {
      read[name] = prepared(given);
    } catch {
      read[name] = null;
    }
  };

  function need(truth) {
    if (!truth) throw new Error("damaged");
  }

  function prepared(given) {
    const { steps, width, seeds, chance } = given;
    const count = Math.ceil(steps / width);
    need(count > 0 && seeds.length > 0 && given.schedules.length > 0);
    const schedules = given.schedules.map(({ name, peaks }) => ({
      name,
      peaks: peaks.map(({ peak, schedule, runs }) => {
        need(peak > 0 && runs.length === seeds.length);
        need(Number.isFinite(window.lrlabSchedules.rate(schedule, steps)));
        return { peak, schedule, runs: runs.map((run) => curve(run, width, steps, count)) };
      }),
    }));
    // The axes are those of all runs of the entry, so that they stay while the sliders move; a run
    // that diverged or learnt nothing does not stretch them.
    const all = schedules.flatMap((s) => s.peaks).flatMap((p) => p.runs);
    const guessing = chance ?? Infinity;
    const fine = all.filter((run) => !run.diverged && run.final < guessing);
    const trained = fine.length ? fine : all;
    const axis = (values) => {
      const finite = values.filter(Number.isFinite);
      return linear(Math.min(...finite), Math.min(Math.max(...finite), 1.1 * guessing), 4);
    };
    const loss = axis(trained.flatMap((run) => run.points.map(([, value]) => value)));
    return { ...given, schedules, loss, end: axis(trained.map((run) => run.final)) };
  }

  // A run's losses as points, each in the middle of the updates that it is the mean of.
  function curve({ final, loss, diverged = false }, width, steps, count) {
    const values = loss.split(" ").map(Number);
    need(diverged ? values.length <= count : values.length === count);
    need(final === null || Number.isFinite(final));
    const middle = (i) => (width * i + Math.min(width * (i + 1), steps)) / 2;
    return { final: final ?? NaN, diverged, points: values.map((v, i) => [middle(i), v]) };
  }

  const charts = element("div", { class: "lrlab-charts" });
  const [rates, losses, ends] = ["rate", "loss", "end"].map((name) =>
    element("div", { class: `lrlab-chart lrlab-${name}` }),
  );
  const said = element("output", { for: "lrlab-peak lrlab-seed", "aria-live": "polite" });
  const remembered = element("p", { class: "lrlab-kept" });
  const about = element("p", { class: "lrlab-ends-about" });
  const keeping = controls.keeper("run", () => ({ ...run(), words: words() }), draw);
  const own = element("div", { class: "lrlab-controls" });
  const form = element("form", { "aria-label": "Run" }, own, element("p", {}, keeping.button));
  charts.append(rates, losses, said);
  page.querySelector(".lrlab-static").replaceWith(
    element("div", {}, charts, remembered, form, about, ends),
  );
  page.classList.add("lrlab-live");

  const state = {};

  // The runs of an entry, from its file.
  function open(i, wanted = {}) {
    state.entry = entries[i];
    state.wanted = wanted;
    keeping.letGo();
    const { name, file } = state.entry;
    if (name in read) return begin();
    const script = element("script", { src: file });
    for (const event of ["load", "error"]) {
      script.addEventListener(event, () => {
        read[name] ??= null;
        if (state.entry.name === name) begin();
      });
    }
    document.head.append(script);
    return undefined;
  }

  // Show an entry, at the setting that is wanted or else in the middle of its first schedule.
  function begin() {
    const { wanted } = state;
    state.runs = read[state.entry.name];
    if (state.runs) {
      const { schedules, seeds } = state.runs;
      state.schedule = Math.max(0, schedules.findIndex(({ name }) => name === wanted.schedule));
      const { peaks } = schedules[state.schedule];
      state.peak = wanted.peak > 0 ? nearest(peaks, wanted.peak) : Math.floor(peaks.length / 2);
      state.seed = Math.max(0, seeds.indexOf(wanted.seed));
    }
    drawControls();
    update();
  }

  const nearest = (peaks, wanted) => {
    const away = peaks.map(({ peak }) => Math.abs(Math.log(peak / wanted)));
    return away.indexOf(Math.min(...away));
  };

  const schedule = () => state.runs.schedules[state.schedule];
  const point = () => schedule().peaks[state.peak];
  const run = () => ({ ...point().runs[state.seed], description: point().schedule });
  const number = (x, ...unit) => (Number.isFinite(x) ? [x, ...unit].join(" ") : "no number");
  const words = () =>
    `${schedule().name}, peak rate ${show(point().peak)}, seed ${state.runs.seeds[state.seed]}`;

  function drawControls() {
    const chosen = entries.indexOf(state.entry);
    const titles = entries.map(({ title }) => title);
    const rows = [controls.choice("lrlab-entry", "Entry", titles, titles[chosen], (i) => open(i))];
    if (state.runs) {
      const names = state.runs.schedules.map(({ name }) => name);
      const move = (name) => (value) => {
        state[name] = value;
        update();
      };
      const along = (name, text, list) => {
        const places = { min: 0, max: list.length - 1, step: 1 };
        return controls.slider(`lrlab-${name}`, text, places, state[name], move(name));
      };
      rows.push(
        controls.choice("lrlab-schedule", "Schedule", names, schedule().name, choose),
        along("peak", "Peak learning rate", schedule().peaks),
        along("seed", "Seed", state.runs.seeds),
      );
    }
    const focused = document.activeElement?.id;
    own.replaceChildren(...rows);
    if (focused) document.getElementById(focused)?.focus();
  }

  // Another schedule, at the rate of its own that is nearest.
  function choose(i) {
    const { peak } = point();
    state.schedule = i;
    state.peak = nearest(schedule().peaks, peak);
    drawControls();
    update();
  }

  function tell(text) {
    if (said.textContent !== text) said.textContent = text;
  }

  function update() {
    for (const part of [rates, losses, ends, about, remembered, keeping.button]) {
      part.hidden = !state.runs;
    }
    if (!state.runs) return tell("The runs of this entry can't be read: their file is damaged.");
    const { metric, unit, seeds } = state.runs;
    const [, , peak, seed] = own.children;
    say(peak, show(point().peak));
    say(seed, String(seeds[state.seed]));
    controls.note({
      entry: state.entry.name, schedule: schedule().name,
      peak: tidy(point().peak), seed: seeds[state.seed],
    });
    const { final, diverged } = run();
    const all = point().runs.map((each) => each.final).filter(Number.isFinite);
    const span = all.length > 1
      ? ` The ${all.length} seeds at this rate: ${Math.min(...all)} to ${Math.max(...all)}.` : "";
    const counts = diverged ? " (it diverged, which counts as guessing)" : "";
    const name = `${metric[0].toUpperCase()}${metric.slice(1)}`;
    tell(`${name} at the end: ${number(final, unit)}${counts}.${span}`);
    return draw();
  }

  function draw() {
    if (!state.runs) return;
    const { steps, loss, end, metric, seeds } = state.runs;
    const { kept } = keeping;
    const now = run();
    const small = window.innerWidth < 576;
    const height = small ? 150 : 230;
    const both = [...(kept ? [[kept, "kept"]] : []), [now, "curve-0"]];
    rates.replaceChildren(
      window.lrlabChart(both.map(([r, kind]) => [r.description, kind]), steps, {
        top: schedule().peaks.at(-1).peak, width: rates.clientWidth, height,
      }),
    );
    const [first, last] = [now.points[0][1], now.points.at(-1)[1]].map(label);
    losses.replaceChildren(
      window.lrlabPlot({
        x: window.lrlabAxes.updates(steps, losses.clientWidth), y: loss,
        xlabel: "step", ylabel: "training loss",
        said: `Training loss against step: ${first} at the first steps, ${last} at the last.`,
        curves: both.map(([r, kind]) => [r.points, kind]),
        dots: [], width: losses.clientWidth, height,
      }),
    );
    remembered.textContent = kept
      ? `Kept: ${kept.words}, which ended at ${number(kept.final)}.` : "";
    about.textContent =
      `All peak rates of this schedule (${schedule().name}), ${metric} at the end: the line is ` +
      `seed ${seeds[state.seed]}, the dots are all ${seeds.length} seeds.`;
    ends.replaceChildren(drawEnds(end, small ? 170 : 230));
  }

  // What the runs of this schedule ended at, against their peak rate.
  function drawEnds(y, height) {
    const { peaks } = schedule();
    const [low, high] = [Math.log(peaks[0].peak), Math.log(peaks.at(-1).peak)];
    const share = (p) => (high > low ? 0.04 + (0.92 * (Math.log(p) - low)) / (high - low) : 0.5);
    const here = peaks.map(({ peak, runs }) => [peak, runs[state.seed].final]);
    const dots = peaks.flatMap(({ peak, runs }) => runs.map((r) => [[peak, r.final], "dot", 2.5]));
    const read = here.map(([p, v]) => `${number(v)} at ${show(p)}`).join(", ");
    const short = (p) => show(Number(p.toPrecision(2)));
    return window.lrlabPlot({
      x: { marks: peaks.map(({ peak }) => peak), share, label: short },
      y,
      xlabel: "peak learning rate",
      ylabel: "at the end",
      said: `At the end against peak rate: ${read}.`,
      curves: [[here, "curve-0"]],
      dots: [...dots, [here[state.peak], "mark", 4.5]].filter(([[, v]]) => Number.isFinite(v)),
      width: ends.clientWidth,
      height,
    });
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  const setting = controls.asked();
  const known = entries.findIndex(({ name }) => name === setting.get("entry"));
  open(Math.max(0, known), {
    schedule: setting.get("schedule"),
    peak: Number(setting.get("peak")),
    seed: Number(setting.get("seed")),
  });
  new ResizeObserver(draw).observe(page);
})();
