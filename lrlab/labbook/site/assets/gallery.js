// The gallery of entries: show those with a tag, of a source, or both. Without this script all are shown.
document.addEventListener("DOMContentLoaded", () => {
  const cards = [...document.querySelectorAll(".lrlab-entry")];
  if (!cards.length) return;
  const number = {};
  cards
    .flatMap((card) => [...card.classList])
    .filter((name) => name.startsWith("lrlab-tag-") || name.startsWith("lrlab-source-"))
    .forEach((name) => (number[name] = (number[name] ?? 0) + 1));

  const form = document.createElement("form");
  form.className = "lrlab-ledger-controls";
  form.addEventListener("submit", (event) => event.preventDefault());
  const choices = [
    ["tag", "Subject, task, schedule or optimizer", "all"],
    ["source", "Source", "all sources"],
  ].map(([kind, words, all]) => {
    const choice = Object.assign(document.createElement("select"), { id: `gallery-${kind}` });
    choice.append(new Option(all, ""));
    const start = `lrlab-${kind}-`;
    Object.keys(number)
      .filter((name) => name.startsWith(start))
      .sort()
      .forEach((name) => {
        let said = name.slice(start.length).replaceAll("-", " ");
        if (kind === "source") said = said[0].toUpperCase() + said.slice(1);
        choice.append(new Option(`${said} (${number[name]})`, name));
      });
    const label = Object.assign(document.createElement("label"), { htmlFor: choice.id });
    label.textContent = words;
    const field = document.createElement("div");
    field.append(label, choice);
    if (choice.options.length > 1) form.append(field);
    return choice;
  });
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  form.append(status);

  const filter = () => {
    const asked = choices.map((choice) => choice.value).filter(Boolean);
    cards.forEach((card) => (card.hidden = !asked.every((name) => card.classList.contains(name))));
    document.querySelectorAll("section").forEach((section) => {
      const inside = [...section.querySelectorAll(".lrlab-entry")];
      if (inside.length) section.hidden = inside.every((card) => card.hidden);
    });
    const shown = cards.filter((card) => !card.hidden).length;
    status.textContent = asked.length ? `${shown} of ${cards.length} experiments` : "";
    history.replaceState(null, "", asked.length ? `#${asked.join("&")}` : location.pathname);
  };
  choices.forEach((choice) => choice.addEventListener("change", filter));
  const known = location.hash.slice(1).split("&").filter((name) => name in number);
  choices.forEach((choice) => {
    const wanted = known.find((name) => [...choice.options].some((option) => option.value === name));
    if (wanted) choice.value = wanted;
  });
  if (known.length) filter();
  document.querySelector(".bd-article h1").after(form);
});
