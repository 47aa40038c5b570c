// Choosing a recipe: the form hides the advice that is not for this training. Without this script
// all of it is shown. A value can be chosen where every section would still say something.
(function () {
  "use strict";

  const form = document.querySelector("form.lrlab-choices");
  if (!form) return;
  const blocks = [...document.querySelectorAll(".lrlab-recipe")];
  const selects = [...form.querySelectorAll("select")];
  const status = form.querySelector("[role=status]");
  const sections = [...new Set(blocks.map((block) => block.closest("section")))].map((section) =>
    blocks.filter((block) => block.closest("section") === section),
  );

  const chosen = () => Object.fromEntries(selects.map(({ name, value }) => [name, value]));
  const fits = (block, choice) =>
    Object.entries(choice).every(([name, value]) => {
      const meant = block.dataset[name]?.split(" ");
      return !value || !meant || meant.includes(value);
    });
  const answered = (choice) =>
    sections.every((inside) => inside.some((block) => fits(block, choice)));

  function update() {
    const choice = chosen();
    for (const select of selects) {
      for (const option of select.options) {
        option.disabled = !answered({ ...choice, [select.name]: option.value });
      }
    }
    for (const block of blocks) block.hidden = !fits(block, choice);
    const made = Object.entries(choice).filter(([, value]) => value);
    const shown = blocks.filter((block) => !block.hidden).length;
    status.textContent = made.length ? `${shown} of ${blocks.length} pieces of advice` : "";
    return made;
  }

  // The choice that the page's address holds, as far as there is advice for it.
  function read() {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (location.hash && !selects.some(({ name }) => asked.has(name))) return; // a heading's link
    for (const select of selects) select.value = "";
    for (const select of selects) {
      const value = asked.get(select.name);
      const option = [...select.options].find((option) => option.value === value);
      if (option && answered({ ...chosen(), [select.name]: value })) select.value = value;
    }
    update();
  }

  for (const select of selects) {
    // What no advice names is not offered at all.
    for (const option of [...select.options]) {
      const named = blocks.some((b) => b.dataset[select.name]?.split(" ").includes(option.value));
      if (option.value && !named) option.remove();
    }
  }
  form.addEventListener("change", () => {
    history.replaceState(null, "", `#${new URLSearchParams(update())}`);
  });
  form.addEventListener("reset", () => setTimeout(() => {
    update();
    history.replaceState(null, "", location.pathname);
  }));
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", read);
  form.hidden = false;
  read();
})();
