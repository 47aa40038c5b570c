// The gallery of entries: show those with a tag. Without this script all are shown.
document.addEventListener("DOMContentLoaded", () => {
  const cards = [...document.querySelectorAll(".lrlab-entry")];
  if (!cards.length) return;
  const tagsOf = (card) => [...card.classList].filter((name) => name.startsWith("lrlab-tag-"));
  const number = {};
  cards.flatMap(tagsOf).forEach((tag) => (number[tag] = (number[tag] ?? 0) + 1));

  const choice = Object.assign(document.createElement("select"), { id: "gallery-tag" });
  choice.append(new Option("all subjects, tasks and optimizers", ""));
  Object.keys(number)
    .sort()
    .forEach((tag) => {
      const words = tag.replace("lrlab-tag-", "").replaceAll("-", " ");
      choice.append(new Option(`${words} (${number[tag]})`, tag));
    });
  const label = Object.assign(document.createElement("label"), { htmlFor: choice.id });
  label.textContent = "Show";
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  const form = document.createElement("form");
  form.className = "lrlab-ledger-controls";
  form.append(label, choice, status);
  form.addEventListener("submit", (event) => event.preventDefault());

  const filter = () => {
    cards.forEach((card) => (card.hidden = choice.value && !tagsOf(card).includes(choice.value)));
    document.querySelectorAll("section").forEach((section) => {
      const inside = [...section.querySelectorAll(".lrlab-entry")];
      if (inside.length) section.hidden = inside.every((card) => card.hidden);
    });
    const shown = cards.filter((card) => !card.hidden).length;
    status.textContent = choice.value ? `${shown} of ${cards.length} experiments` : "";
    history.replaceState(null, "", choice.value ? `#${choice.value}` : location.pathname);
  };
  choice.addEventListener("change", filter);
  const asked = location.hash.slice(1);
  if (asked in number) {
    choice.value = asked;
    filter();
  }
  const first = document.querySelector(".bd-article h1");
  first.after(form);
});
