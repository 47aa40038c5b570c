// The schedules of lrlab.schedules once more, for the page that draws them in the browser.
// rate(description, step) takes what Schedule.to_dict() gives; a test compares the two.
(function (global) {
  "use strict";

  const mix = (weight, a, b) => a * weight + b * (1 - weight);
  const linear = (a, b, k, n) => a * ((n - k) / n) + b * (k / n);

  // (1 + cos x)/2 = sin²((π − x)/2), so that the tail keeps its digits.
  function cosine(a, b, k, n) {
    const left = Math.sin(((n - k) / n) * (Math.PI / 2));
    return mix(left * left, a, b);
  }

  const halfCosine = (a, b, k, n) => (a >= b ? cosine(a, b, k, n) : cosine(b, a, n - k, n));

  // As Python rounds: halves go to the even neighbour.
  function round(x) {
    const low = Math.floor(x);
    if (x - low !== 0.5) return Math.round(x);
    return low % 2 === 0 ? low : low + 1;
  }

  function oneCycleDefaults(p) {
    const start = p.start_lr ?? p.peak_lr / 25;
    return {
      rise: p.warmup_steps ?? round(0.3 * p.steps),
      start,
      end: p.end_lr ?? start / 1e4,
    };
  }

  function startOfCycle(p, i) {
    const g = p.growth ?? 1;
    return p.cycle_steps * (g === 1 ? i : (g ** i - 1) / (g - 1));
  }

  // Each gives the rate at 0 ≤ t ≤ horizon.
  const rates = {
    Constant: (p) => p.lr,
    StepDecay: (p, t) => p.peak_lr * p.gamma ** Math.floor(t / p.every_steps),
    MultiStep: (p, t) => p.peak_lr * (p.gamma ?? 0.1) ** p.milestones.filter((m) => m <= t).length,
    Exponential: (p, t) => p.peak_lr * p.gamma ** (t / (p.every_steps ?? 1)),
    Linear: (p, t) => linear(p.peak_lr, p.end_lr, t, p.steps),
    LinearDecayToZero: (p, t) => p.peak_lr * ((p.steps - t) / p.steps),
    Polynomial: (p, t) => mix(((p.steps - t) / p.steps) ** (p.power ?? 1), p.peak_lr, p.end_lr),
    InverseSqrt: (p, t) => p.peak_lr * Math.sqrt(p.timescale_steps / (t + p.timescale_steps)),
    Cosine: (p, t) => cosine(p.peak_lr, p.end_lr ?? 0, t, p.steps),
    Tanh(p, t) {
      const x = linear(p.lower ?? -7, p.upper ?? 3, t, p.steps);
      return mix(1 / (1 + Math.exp(2 * x)), p.peak_lr, p.end_lr ?? 0);
    },
    CosineRestarts(p, t) {
      let i = 0;
      while (i < p.cycles - 1 && startOfCycle(p, i + 1) <= t) i += 1;
      const start = startOfCycle(p, i);
      const peak = p.peak_lr * (p.decay ?? 1) ** i;
      return cosine(peak, p.end_lr ?? 0, t - start, startOfCycle(p, i + 1) - start);
    },
    OneCycle(p, t) {
      const { rise, start, end } = oneCycleDefaults(p);
      const piece = (p.anneal ?? "cosine") === "cosine" ? halfCosine : linear;
      if (t < rise) return piece(start, p.peak_lr, t, rise);
      if ((p.phases ?? 2) === 2) return piece(p.peak_lr, end, t - rise, p.steps - rise);
      if (t < 2 * rise) return piece(p.peak_lr, start, t - rise, rise);
      return piece(start, end, t - 2 * rise, p.steps - 2 * rise);
    },
    Cyclic(p, t) {
      const up = p.up_steps;
      const down = p.down_steps ?? up;
      const k = t % (up + down);
      let weight = k < up ? k / up : (up + down - k) / down;
      if (p.mode === "triangular2") weight *= 0.5 ** Math.floor(t / (up + down));
      if (p.mode === "exp_range") weight *= (p.gamma ?? 1) ** t;
      return mix(weight, p.peak_lr, p.base_lr);
    },
    WarmupStableDecay(p, t) {
      const n = p.cooldown_steps;
      const k = t - (p.steps - n);
      if (t < p.warmup_steps) return linear(p.start_lr ?? 0, p.peak_lr, t, p.warmup_steps);
      if (k < 0 || n === 0) return p.peak_lr;
      const end = p.end_lr ?? 0;
      if (p.cooldown === "cosine") return cosine(p.peak_lr, end, k, n);
      if (p.cooldown === "1-sqrt") return mix((n - k) / n / (1 + Math.sqrt(k / n)), p.peak_lr, end);
      return linear(p.peak_lr, end, k, n);
    },
    Warmup(p, t) {
      const w = p.warmup_steps;
      if (t >= w) return rate(p.then, t - w);
      const peak = rate(p.then, 0);
      const start = p.start_lr ?? 0;
      return p.kind === "exponential"
        ? start * (peak / start) ** (t / w)
        : linear(start, peak, t, w);
    },
    Join(p, t) {
      const i = p.boundaries.filter((b) => b <= t).length;
      return rate(p.schedules[i], t - [0, ...p.boundaries][i]);
    },
  };

  // Number of updates that a schedule spans; Infinity if it has no end.
  function horizon(p) {
    if (p.schedule === "Warmup") return p.warmup_steps + horizon(p.then);
    if (p.schedule === "Join") return (p.boundaries.at(-1) ?? 0) + horizon(p.schedules.at(-1));
    if (p.schedule === "CosineRestarts") return startOfCycle(p, p.cycles);
    return p.steps ?? Infinity;
  }

  // The rate of update number step + 1.
  function rate(description, step) {
    return rates[description.schedule](description, Math.min(step, horizon(description)));
  }

  global.lrlabSchedules = { rate, horizon, names: Object.keys(rates) };
})(window);
