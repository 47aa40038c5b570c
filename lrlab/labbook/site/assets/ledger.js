// The ledger: choose claims by words, verdict, source, kind and subject. Without this script each
// experiment's claims are unfolded by hand. Tables of claims elsewhere can be sorted by a column.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("div.lrlab-ledger").forEach(choose);
  document.querySelectorAll("table.lrlab-ledger").forEach(sortable);
});

const choose = (ledger) => {
  const folds = [...ledger.querySelectorAll(":scope > details")];
  const rows = [...ledger.querySelectorAll("tr[data-verdict]")];
  const fields = {
    verdict: { label: "Verdict", all: "all verdicts", of: (row) => [row.dataset.verdict] },
    kind: { label: "Kind", all: "all kinds", of: (row) => [row.dataset.kind] },
    source: { label: "Source", all: "all sources", of: (row) => [row.dataset.source || "our own"] },
    about: {
      label: "Task, optimizer, subject",
      all: "everything",
      of: (row) => row.closest("details").dataset.tags.split(" "),
    },
  };
  const asked = new URLSearchParams(location.search);
  const form = document.createElement("form");
  form.className = "lrlab-ledger-controls";
  form.addEventListener("submit", (event) => event.preventDefault());
  const labelled = (words, control) => {
    const label = Object.assign(document.createElement("label"), { htmlFor: control.id });
    label.append(words);
    const field = document.createElement("div");
    field.append(label, control);
    form.append(field);
  };

  const search = Object.assign(document.createElement("input"), {
    type: "search",
    id: "ledger-search",
    placeholder: "words of a claim",
    value: asked.get("q") ?? "",
  });
  labelled("Search", search);
  for (const [name, field] of Object.entries(fields)) {
    field.control = Object.assign(document.createElement("select"), { id: `ledger-${name}` });
    field.control.append(new Option(field.all, ""));
    const values = new Set(rows.flatMap(field.of).filter(Boolean));
    [...values].sort().forEach((value) => field.control.append(new Option(value)));
    if (values.has(asked.get(name))) field.control.value = asked.get(name);
    labelled(field.label, field.control);
  }
  const count = document.createElement("p");
  count.setAttribute("role", "status");
  count.className = "lrlab-ledger-count";

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = Object.entries(fields).filter(([, field]) => field.control.value);
    rows.forEach((row) => {
      const text = `${row.textContent} ${row.querySelector("a").title}`.toLowerCase();
      const wanted = chosen.every(([, field]) => field.of(row).includes(field.control.value));
      row.hidden = !(wanted && words.every((word) => text.includes(word)));
    });
    const isFiltered = words.length > 0 || chosen.length > 0;
    const hasRows = (part) => part.querySelector("tr[data-verdict]:not([hidden])") !== null;
    ledger.querySelectorAll("table").forEach((table) => (table.hidden = !hasRows(table)));
    folds.forEach((fold) => {
      fold.hidden = !hasRows(fold);
      fold.open = isFiltered;
    });
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = `${shown} of ${rows.length} claims`;
    const now = new URLSearchParams(chosen.map(([name, field]) => [name, field.control.value]));
    if (search.value) now.set("q", search.value);
    history.replaceState(null, "", now.size ? `?${now}` : location.pathname);
  };
  form.addEventListener("input", filter);
  ledger.before(form, count);
  filter();
};

const sortable = (table) => {
  const body = table.tBodies[0];
  const text = (row, column) => row.cells[column].textContent.trim();
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.append(head.textContent.trim());
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      heads.forEach((cell) => cell.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows];
      rows.sort((a, b) => sign * compare(text(a, column), text(b, column)));
      body.append(...rows);
    });
  });
};
