"""Schedules drawn at random, of every kind, for property tests."""

from hypothesis import strategies as st

from lrlab import schedules as s

rates = st.floats(1e-6, 10.0)
fractions = st.floats(0.0, 1.0)
gammas = st.floats(0.1, 1.0)
counts = st.integers(1, 60)
horizons = st.none() | counts


@st.composite
def cosine_restarts(draw):
    peak, decay, cycles = draw(rates), draw(st.floats(0.5, 1.0)), draw(st.integers(1, 5))
    end = draw(fractions) * peak * decay ** (cycles - 1)
    growth = draw(st.integers(1, 3))
    return s.CosineRestarts(peak, draw(st.integers(1, 20)), cycles, growth, decay, end)


@st.composite
def one_cycles(draw):
    peak, phases = draw(rates), draw(st.sampled_from([2, 3]))
    steps = draw(st.integers(3, 60))
    warmup = draw(st.none() | st.integers(phases - 2, (steps - 1) // (phases - 1)))
    start = draw(st.none() | fractions.map(lambda f: f * peak))
    end = None if start is None else draw(st.none() | fractions.map(lambda f: f * start))
    return s.OneCycle(
        peak, steps, warmup, start, end, draw(st.sampled_from(["cosine", "linear"])), phases
    )


@st.composite
def cyclics(draw):
    peak, mode = draw(rates), draw(st.sampled_from(["triangular", "triangular2", "exp_range"]))
    gamma = draw(gammas) if mode == "exp_range" else 1.0
    base, down = draw(fractions) * peak, draw(st.none() | counts)
    return s.Cyclic(peak, base, draw(counts), down, mode, gamma, draw(horizons))


@st.composite
def trapezoids(draw):
    peak, w, flat, c = draw(rates), *(draw(st.integers(0, 30)) for _ in range(3))
    steps = max(1, w + flat + c)
    shape = draw(st.sampled_from(["linear", "cosine", "1-sqrt"]))
    start, end = draw(fractions) * peak, draw(fractions) * peak
    return s.WarmupStableDecay(peak, steps, w, c, end, shape, start)


@st.composite
def with_end(draw, kind):
    peak = draw(rates)
    return kind(peak, draw(counts), draw(fractions) * peak)


falling = st.one_of(
    with_end(s.Cosine),
    with_end(s.Tanh),
    st.builds(s.Constant, rates),
    st.builds(s.StepDecay, rates, gammas, counts, horizons),
    st.builds(s.Exponential, rates, gammas, counts, horizons),
    st.builds(
        lambda peak, milestones, gamma: s.MultiStep(peak, sorted(milestones), gamma),
        rates,
        st.sets(counts, max_size=5),
        gammas,
    ),
    st.builds(lambda peak, part, n: s.Linear(peak, peak * part, n), rates, fractions, counts),
    st.builds(
        lambda peak, part, n, power: s.Polynomial(peak, peak * part, n, power),
        rates,
        fractions,
        counts,
        st.floats(0.2, 4.0),
    ),
    st.builds(s.LinearDecayToZero, rates, counts),
    st.builds(s.InverseSqrt, rates, counts, horizons),
)
plain = st.one_of(falling, cosine_restarts(), one_cycles(), cyclics(), trapezoids())


@st.composite
def warmups(draw, then=plain):
    after, kind = draw(then), draw(st.sampled_from(["linear", "exponential"]))
    if after(0) <= 1e-9:
        kind = "linear"
    low = 1e-3 if kind == "exponential" else 0.0
    start = draw(st.floats(low, 1.0)) * after(0)
    return s.Warmup(after, draw(st.integers(0, 30)), min(start, after(0)), kind)


@st.composite
def joins(draw):
    parts = draw(st.lists(plain | warmups(), min_size=1, max_size=4))
    boundaries = draw(
        st.sets(st.integers(1, 100), min_size=len(parts) - 1, max_size=len(parts) - 1)
    )
    return s.Join(parts, sorted(boundaries))


any_schedule = st.one_of(plain, warmups(), joins(), warmups(joins()))
