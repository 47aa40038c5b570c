// The explorer: sliders make a schedule, and the page shows its curve and its code.
(function () {
  "use strict";

  const { rate, horizon } = window.lrlabSchedules;
  const { tidy, show, element, say, ...controls } = window.lrlabControls;

  // What a slider's position stands for: a number, a rate as a share of the peak, or steps as a
  // share of the schedule's.
  const number = (name, label, [min, max, step], value, more = {}) => ({
    name, label, min, max, step, value, read: tidy, ...more,
  });
  const share = (name, label, value, more = {}) =>
    number(name, label, [0, 1, 0.01], value, { read: (x, c) => tidy(x * c.peak), ...more });
  const steps = (name, label, [min, max], value) =>
    number(name, label, [min, max, 0.005], value, {
      read: (x, c) => Math.max(min > 0 ? 1 : 0, Math.round(x * c.steps)),
    });
  const choice = (name, label, options, more = {}) => ({
    name, label, options, value: options[0], ...more,
  });

  const end = share("end_lr", "End rate", 0);
  const common = [
    number("peak_lr", "Peak rate", [-5, 1, 0.05], -1, { read: (x) => tidy(10 ** x) }),
    number("steps", "Steps in all", [100, 10000, 100], 1000, { read: Math.round }),
  ];
  const warms = { when: (v) => v.rise_steps > 0 };
  const warmup = [
    steps("rise_steps", "Warmup", [0, 0.5], 0.1),
    choice("rise", "Shape of the warmup", ["linear", "exponential"], warms),
    share("rise_lr", "First rate of the warmup", 0, warms),
  ];

  // For every schedule its own controls, and how their values make its description.
  const kinds = {
    Constant: { controls: [], fields: (v) => ({ lr: v.peak_lr }) },
    StepDecay: {
      controls: [
        number("gamma", "Factor at each stair", [0.05, 1, 0.05], 0.5),
        steps("every_steps", "Width of a stair", [0.02, 1], 0.25),
      ],
      fields: ({ peak_lr, gamma, every_steps, steps }) => ({ peak_lr, gamma, every_steps, steps }),
    },
    MultiStep: {
      controls: [
        number("gamma", "Factor at each milestone", [0.05, 1, 0.05], 0.1),
        steps("first", "First milestone", [0.02, 0.95], 0.5),
        steps("second", "Second milestone", [0.04, 1], 0.75),
      ],
      fields: ({ peak_lr, gamma, first, second, steps }) => ({
        peak_lr, milestones: [first, Math.max(second, first + 1)], gamma, steps,
      }),
    },
    Exponential: {
      controls: [
        number("gamma", "Factor", [0.05, 1, 0.05], 0.7),
        steps("every_steps", "over so many steps", [0.02, 1], 0.1),
      ],
      fields: ({ peak_lr, gamma, every_steps, steps }) => ({ peak_lr, gamma, every_steps, steps }),
    },
    Linear: {
      controls: [end],
      fields: ({ peak_lr, end_lr, steps }) => ({ peak_lr, end_lr, steps }),
    },
    LinearDecayToZero: { controls: [], fields: ({ peak_lr, steps }) => ({ peak_lr, steps }) },
    Polynomial: {
      controls: [end, number("power", "Power", [0.2, 5, 0.1], 2)],
      fields: ({ peak_lr, end_lr, steps, power }) => ({ peak_lr, end_lr, steps, power }),
    },
    InverseSqrt: {
      controls: [steps("timescale_steps", "Time scale", [0.005, 1], 0.1)],
      fields: ({ peak_lr, timescale_steps, steps }) => ({ peak_lr, timescale_steps, steps }),
    },
    Cosine: {
      controls: [end],
      fields: ({ peak_lr, steps, end_lr }) => ({ peak_lr, steps, end_lr }),
    },
    CosineRestarts: {
      controls: [
        number("cycles", "Cycles", [1, 6, 1], 3),
        number("growth", "Each cycle longer by the factor", [1, 3, 1], 1),
        number("decay", "Each peak lower by the factor", [0.3, 1, 0.05], 1),
        end,
      ],
      fields({ peak_lr, cycles, growth, decay, end_lr, steps }) {
        let units = 0;
        for (let i = 0; i < cycles; i += 1) units += growth ** i;
        // Below the last peak, by enough for rounding not to matter.
        const last = decay < 1 ? tidy(0.99 * peak_lr * decay ** (cycles - 1)) : peak_lr;
        return {
          peak_lr, cycle_steps: Math.max(1, Math.floor(steps / units)), cycles, growth, decay,
          end_lr: Math.min(end_lr, last),
        };
      },
    },
    OneCycle: {
      controls: [
        steps("warmup_steps", "Steps to the peak", [0.02, 0.48], 0.3),
        share("start_lr", "First rate", 0.04),
        share("end_lr", "End rate (at most the first)", 0),
        choice("anneal", "Shape", ["cosine", "linear"]),
        choice("phases", "Phases", [2, 3]),
      ],
      fields: ({ peak_lr, steps, warmup_steps, start_lr, end_lr, anneal, phases }) => ({
        peak_lr, steps, warmup_steps, start_lr, end_lr: Math.min(end_lr, start_lr), anneal, phases,
      }),
    },
    Cyclic: {
      controls: [
        share("base_lr", "Base rate", 0.1),
        steps("up_steps", "Steps up", [0.01, 0.5], 0.125),
        steps("down_steps", "Steps down", [0.01, 0.5], 0.125),
        choice("mode", "Mode", ["triangular", "triangular2", "exp_range"]),
        number("gamma", "Factor per step", [0.99, 1, 0.0001], 0.998, {
          when: (v) => v.mode === "exp_range",
        }),
      ],
      fields: ({ peak_lr, base_lr, up_steps, down_steps, mode, gamma, steps }) => ({
        peak_lr, base_lr, up_steps, down_steps, mode,
        gamma: mode === "exp_range" ? gamma : 1, steps,
      }),
    },
    WarmupStableDecay: {
      controls: [
        steps("warmup_steps", "Warmup", [0, 0.5], 0.1),
        steps("cooldown_steps", "Cooldown", [0, 0.5], 0.2),
        end,
        choice("cooldown", "Shape of the cooldown", ["linear", "cosine", "1-sqrt"]),
        share("start_lr", "First rate", 0),
      ],
      fields: ({ peak_lr, steps, warmup_steps, cooldown_steps, end_lr, cooldown, start_lr }) => ({
        peak_lr, steps, warmup_steps,
        cooldown_steps: Math.min(cooldown_steps, steps - warmup_steps), end_lr, cooldown, start_lr,
      }),
    },
    Tanh: {
      controls: [
        end,
        number("lower", "Argument at the start", [-10, -0.5, 0.5], -7),
        number("upper", "Argument at the end", [0.5, 6, 0.5], 3),
      ],
      fields: ({ peak_lr, steps, end_lr, lower, upper }) => ({
        peak_lr, steps, end_lr, lower, upper,
      }),
    },
    Join: {
      controls: [
        steps("flat_steps", "Constant for", [0.05, 0.9], 0.6),
        choice("then", "then", ["Cosine", "Linear"]),
        end,
      ],
      fields: ({ peak_lr, steps, flat_steps, then, end_lr }) => ({
        schedules: [
          { schedule: "Constant", lr: peak_lr },
          { schedule: then, peak_lr, steps: steps - flat_steps, end_lr },
        ],
        boundaries: [flat_steps],
      }),
    },
  };
  const rising = ["OneCycle", "WarmupStableDecay"]; // they have a warmup of their own

  function controlsOf(kind) {
    return [...common, ...(rising.includes(kind) ? [] : warmup), ...kinds[kind].controls];
  }

  // From positions of the controls to their values and to the schedule's description.
  function read(kind, positions) {
    const values = {};
    const context = {};
    for (const control of controlsOf(kind)) {
      const at = positions[control.name] ?? control.value;
      values[control.name] = control.options ? at : control.read(at, context);
      if (control.name === "peak_lr") context.peak = values.peak_lr;
      if (control.name === "steps") context.steps = values.steps;
      if (control.name === "rise_steps") context.steps -= values.rise_steps;
    }
    const left = { ...values, steps: context.steps };
    const then = { schedule: kind, ...kinds[kind].fields(left) };
    if (!values.rise_steps) return { values, description: then };
    // An exponential rise can't begin at 0, and no rise above the rate that it leads to.
    const first = rate(then, 0);
    const shape = first > 0 ? values.rise : "linear";
    const lowest = shape === "exponential" ? tidy(first / 100) : 0;
    values.rise_lr = Math.min(Math.max(values.rise_lr, lowest), tidy(0.99 * first));
    const { rise_steps: warmup_steps, rise_lr: start_lr } = values;
    const description = { schedule: "Warmup", then, warmup_steps, start_lr, kind: shape };
    return { values, description };
  }

  window.lrlabExplorer = { kinds: Object.keys(kinds), controlsOf, read };

  // The page.
  const page = document.querySelector(".lrlab-explorer");
  if (!page) return;

  const state = fromAddress();
  let current;

  const chart = page.querySelector(".lrlab-chart");
  const kindRow = controls.choice("lrlab-kind", "Schedule", Object.keys(kinds), state.kind, choose);
  const own = element("div", { class: "lrlab-controls" });
  const log = element("input", { type: "checkbox", id: "lrlab-log" });
  const logLabel = element("label", { for: "lrlab-log" }, "Logarithmic axis");
  const keeping = controls.keeper("curve", () => current.description, draw);
  const whereRow = controls.slider("lrlab-step", "Read the rate at a step", { min: 0 }, 0, draw);
  const [where, said] = whereRow.querySelectorAll("input, output");
  said.setAttribute("aria-live", "polite");
  const form = element(
    "form", { "aria-label": "Schedule" },
    kindRow,
    own,
    whereRow,
    element("p", {}, log, logLabel, keeping.button),
  );
  const bench = element("div", {});
  page.prepend(bench);
  bench.append(chart, form);
  page.classList.add("lrlab-live");

  // The setting that the page's address holds.
  function fromAddress() {
    const asked = controls.asked();
    const kind = asked.get("schedule") in kinds ? asked.get("schedule") : "Cosine";
    const positions = {};
    for (const { name, options, min, max } of controlsOf(kind)) {
      const text = asked.get(name);
      const at = Number(text);
      if (text === null) continue;
      const option = options?.find((o) => String(o) === text);
      if (option !== undefined) positions[name] = option;
      if (!options && Number.isFinite(at)) positions[name] = Math.min(max, Math.max(min, at));
    }
    return { kind, positions };
  }

  function rowOf(control) {
    const at = state.positions[control.name] ?? control.value;
    const id = `lrlab-${control.name}`;
    const moved = (value) => {
      state.positions[control.name] = value;
      update();
    };
    if (!control.options) return controls.slider(id, control.label, control, at, moved);
    const chosen = (i) => moved(control.options[i]);
    return controls.choice(id, control.label, control.options, at, chosen);
  }

  function drawControls() {
    own.replaceChildren(...controlsOf(state.kind).map(rowOf));
  }

  function update() {
    current = read(state.kind, state.positions);
    controlsOf(state.kind).forEach((control, i) => {
      const row = own.children[i];
      row.hidden = control.when ? !control.when(current.values) : false;
      if (!control.options) say(row, show(current.values[control.name]));
    });
    where.max = last(current.description);
    for (const name of ["lrlab", "torch"]) {
      const code = `${window.lrlabCode[name](current.description)}\n`;
      page.querySelector(`[data-code=${name}]`).textContent = code;
    }
    controls.note({ schedule: state.kind, ...state.positions });
    draw();
  }

  // The last step to draw: the horizon, or as far as the sliders go where there is none.
  function last(description) {
    const end = horizon(description);
    return end < Infinity ? end : current.values.steps;
  }

  function draw() {
    const step = Number(where.value);
    const { kept } = keeping;
    const curves = [...(kept ? [[kept, "kept"]] : []), [current.description, "curve-0"]];
    const stop = Math.max(...curves.map(([description]) => last(description)));
    const how = { step, log: log.checked, width: chart.clientWidth };
    chart.replaceChildren(window.lrlabChart(curves, stop, how));
    const text = `${show(rate(current.description, step))} at step ${step}`;
    if (said.textContent !== text) said.textContent = text;
  }

  function choose(i) {
    const { peak_lr = common[0].value, steps: all = common[1].value } = state.positions;
    state.kind = Object.keys(kinds)[i];
    state.positions = { peak_lr, steps: all };
    drawControls();
    update();
  }

  log.addEventListener("change", draw);
  form.addEventListener("submit", (event) => event.preventDefault());
  drawControls();
  update();
  new ResizeObserver(draw).observe(page);
})();
