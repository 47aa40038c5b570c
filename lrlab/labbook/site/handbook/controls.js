// What the pages with sliders have in common: their controls, and a curve that is kept to compare.
(function (global) {
  "use strict";

  const tidy = (x) => Number(x.toPrecision(4));
  const show = (x) => (typeof x === "number" ? String(tidy(x)).replace("-", "−") : x);

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  const row = (id, text, ...parts) =>
    element("p", {}, element("label", { for: id }, text), ...parts);

  // A list to choose from; `chosen` is given the number of the option.
  function choice(id, text, options, value, chosen) {
    const made = element(
      "select", { id }, ...options.map((o) => element("option", { value: o }, String(o))),
    );
    made.value = value;
    made.addEventListener("change", () => chosen(made.selectedIndex));
    return row(id, text, made);
  }

  // A slider that says what its position stands for, which `say` sets.
  function slider(id, text, { min, max = 100, step = 1 }, value, moved) {
    const made = element("input", { id, type: "range", min, max, step });
    made.value = value;
    made.addEventListener("input", () => moved(Number(made.value)));
    return row(id, text, made, element("output", { for: id }));
  }

  function say(slider, text) {
    slider.querySelector("output").textContent = text;
    slider.querySelector("input").setAttribute("aria-valuetext", text);
  }

  // A button that keeps what `now` gives, or lets go of it.
  function keeper(what, now, redraw) {
    const button = element("button", { type: "button" });
    const keeping = { button, kept: null, letGo: () => keep(null) };
    function keep(value) {
      keeping.kept = value;
      button.textContent = value ? `Let go of the kept ${what}` : `Keep this ${what} to compare`;
    }
    button.addEventListener("click", () => {
      keep(keeping.kept ? null : now());
      redraw();
    });
    keep(null);
    return keeping;
  }

  // The setting that the page's address holds, and the other way round.
  const asked = () => new URLSearchParams(location.hash.slice(1));
  const note = (setting) => history.replaceState(null, "", `#${new URLSearchParams(setting)}`);

  global.lrlabControls = { tidy, show, element, choice, slider, say, keeper, asked, note };
})(window);
