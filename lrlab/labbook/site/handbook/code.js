// A schedule's description as Python: what makes it with lrlab, and with PyTorch alone.
(function (global) {
  "use strict";

  function literal(value) {
    if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
    if (value !== null && typeof value === "object") return call(value);
    if (value === null) return "None";
    return typeof value === "string" ? JSON.stringify(value) : String(value);
  }

  function call({ schedule, ...fields }) {
    const words = Object.entries(fields).map(([name, value]) => `${name}=${literal(value)}`);
    const line = `${schedule}(${words.join(", ")})`;
    if (line.length <= 60) return line;
    const indented = words.map((word) => `    ${word.replaceAll("\n", "\n    ")},\n`);
    return `${schedule}(\n${indented.join("")})`;
  }

  function names(d) {
    const inner = [...(d.then ? [d.then] : []), ...(d.schedules ?? [])];
    return [...new Set([d.schedule, ...inner.flatMap(names)])].sort();
  }

  function lrlab(d) {
    return [
      `from lrlab.schedules import ${[...names(d), "as_torch"].join(", ")}`,
      "",
      `schedule = ${call(d)}`,
      "scheduler = as_torch(optimizer, schedule)  # step() after each update",
    ].join("\n");
  }

  // From a to b: weight is 1 at a and 0 at b. Terms that are 0 are left out.
  const between = (a, b, weight) =>
    b === 0 ? `${a} * ${weight}` : `${b} + (${a} - ${b}) * ${weight}`;
  const half = (a, b, x) => between(a, b, `(1 + math.cos(math.pi * ${x})) / 2`);
  const line = (a, b, x) => between(b, a, x);

  function tail(d, x) {
    if (d.cooldown === "cosine") return half(d.peak_lr, d.end_lr, x);
    if (d.cooldown === "linear") return line(d.peak_lr, d.end_lr, x);
    return between(d.peak_lr, d.end_lr, `(1 - math.sqrt(${x}))`);
  }

  // Lines of a function body that returns the rate at step t; t is at most the horizon.
  const bodies = {
    Constant: (d) => [`return ${d.lr}`],
    StepDecay: (d) => [`return ${d.peak_lr} * ${d.gamma} ** (t // ${d.every_steps})`],
    MultiStep: (d) => [
      `return ${d.peak_lr} * ${d.gamma} ** sum(t >= m for m in ${literal(d.milestones)})`,
    ],
    Exponential: (d) => [`return ${d.peak_lr} * ${d.gamma} ** (t / ${d.every_steps})`],
    Linear: (d) => [`return ${line(d.peak_lr, d.end_lr, `t / ${d.steps}`)}`],
    LinearDecayToZero: (d) => [`return ${d.peak_lr} * (1 - t / ${d.steps})`],
    Polynomial: (d) => [
      `return ${between(d.peak_lr, d.end_lr, `(1 - t / ${d.steps}) ** ${d.power}`)}`,
    ],
    InverseSqrt: (d) => {
      const n = d.timescale_steps;
      return [`return ${d.peak_lr} * math.sqrt(${n} / (${n} + t))`];
    },
    Cosine: (d) => [`return ${half(d.peak_lr, d.end_lr, `t / ${d.steps}`)}`],
    Tanh: (d) => [
      `x = ${d.lower} + (${d.upper} - ${d.lower}) * t / ${d.steps}`,
      `return ${between(d.peak_lr, d.end_lr, "(1 - math.tanh(x)) / 2")}`,
    ],
    CosineRestarts: (d) => [
      `start, n, peak = 0, ${d.cycle_steps}, ${d.peak_lr}`,
      `for _ in range(${d.cycles - 1}):`,
      "    if t >= start + n:",
      `        start, n, peak = start + n, n * ${d.growth}, peak * ${d.decay}`,
      `return ${half("peak", d.end_lr, "(t - start) / n")}`,
    ],
    OneCycle(d) {
      const w = d.warmup_steps;
      const piece = d.anneal === "cosine" ? half : line;
      const rise = [`if t < ${w}:`, `    return ${piece(d.start_lr, d.peak_lr, `t / ${w}`)}`];
      if (d.phases === 2) {
        const fall = piece(d.peak_lr, d.end_lr, `(t - ${w}) / ${d.steps - w}`);
        return [...rise, `return ${fall}`];
      }
      return [
        ...rise,
        `if t < ${2 * w}:`,
        `    return ${piece(d.peak_lr, d.start_lr, `(t - ${w}) / ${w}`)}`,
        `return ${piece(d.start_lr, d.end_lr, `(t - ${2 * w}) / ${d.steps - 2 * w}`)}`,
      ];
    },
    Cyclic(d) {
      const [up, down] = [d.up_steps, d.down_steps];
      const size = { triangular: "", triangular2: ` * 0.5 ** (t // ${up + down})` };
      const fade = size[d.mode] ?? ` * ${d.gamma} ** t`;
      return [
        `k = t % ${up + down}`,
        `weight = min(k / ${up}, (${up + down} - k) / ${down})${fade}`,
        `return ${between(d.peak_lr, d.base_lr, "weight")}`,
      ];
    },
    WarmupStableDecay(d) {
      const [w, n] = [d.warmup_steps, d.cooldown_steps];
      const begin = d.steps - n;
      return [
        ...(w ? [`if t < ${w}:`, `    return ${line(d.start_lr, d.peak_lr, `t / ${w}`)}`] : []),
        ...(n ? [`if t < ${begin}:`, `    return ${d.peak_lr}`] : []),
        `return ${n ? tail(d, `(t - ${begin}) / ${n}`) : d.peak_lr}`,
      ];
    },
    Warmup(d) {
      const w = d.warmup_steps;
      const peak = global.lrlabSchedules.rate(d.then, 0);
      const rise =
        d.kind === "exponential"
          ? `${d.start_lr} * (${peak} / ${d.start_lr}) ** (t / ${w})`
          : line(d.start_lr, peak, `t / ${w}`);
      const after = bodies[d.then.schedule](d.then);
      return [`if t < ${w}:`, `    return ${rise}`, `t -= ${w}`, ...after];
    },
    Join(d) {
      const [first, second] = d.schedules;
      const early = bodies[first.schedule](first).map((text) => `    ${text}`);
      const b = d.boundaries[0];
      return [`if t < ${b}:`, ...early, `t -= ${b}`, ...bodies[second.schedule](second)];
    },
  };

  function torch(d) {
    const horizon = global.lrlabSchedules.horizon(d);
    const body = bodies[d.schedule](d);
    if (horizon < Infinity && d.schedule !== "Constant") body.unshift(`t = min(t, ${horizon})`);
    return [
      ...(body.some((text) => text.includes("math.")) ? ["import math", ""] : []),
      "from torch.optim.lr_scheduler import LambdaLR",
      "",
      "",
      "def rate(t):",
      ...body.map((text) => `    ${text}`),
      "",
      "",
      "# The optimizer has lr=1.0: LambdaLR multiplies it by the rate.",
      "scheduler = LambdaLR(optimizer, rate)  # step() after each update",
    ].join("\n");
  }

  global.lrlabCode = { lrlab, torch };
})(window);
