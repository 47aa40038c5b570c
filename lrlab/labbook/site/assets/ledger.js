// Tables of claims: filter by words and by verdict, sort by a column. Without this script it is a
// table.
document.addEventListener("DOMContentLoaded", () => {
  const table = document.querySelector("table.lrlab-ledger");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const text = (row, column) => row.cells[column].textContent.trim();
  const verdictOf = (row) => row.querySelector(".lrlab-is-verdict").textContent.trim();

  const search = Object.assign(document.createElement("input"), {
    type: "search",
    id: "ledger-search",
    placeholder: "words in any column",
  });
  const verdict = Object.assign(document.createElement("select"), { id: "ledger-verdict" });
  verdict.append(new Option("all verdicts", ""));
  [...new Set(rows.map(verdictOf))].sort().forEach((v) => verdict.append(new Option(v)));
  const count = document.createElement("p");
  count.setAttribute("role", "status");
  count.className = "lrlab-ledger-count";

  const labelled = (words, control) => {
    const label = document.createElement("label");
    label.htmlFor = control.id;
    label.append(words);
    const field = document.createElement("div");
    field.append(label, control);
    return field;
  };
  const form = document.createElement("form");
  form.className = "lrlab-ledger-controls";
  form.append(labelled("Search", search), labelled("Verdict", verdict));
  form.addEventListener("submit", (event) => event.preventDefault());

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row) => {
      const content = row.textContent.toLowerCase();
      const wanted = !verdict.value || verdictOf(row) === verdict.value;
      row.hidden = !(wanted && words.every((word) => content.includes(word)));
    });
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = `${shown} of ${rows.length} claims`;
  };
  [search, verdict].forEach((control) => control.addEventListener("input", filter));

  // The page may be opened with a filter: claims.html?verdict=contradicted
  const asked = new URLSearchParams(location.search);
  search.value = asked.get("q") ?? "";
  if ([...verdict.options].some((o) => o.value === asked.get("verdict"))) {
    verdict.value = asked.get("verdict");
  }

  const compare = new Intl.Collator("en", { numeric: true }).compare;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(head.textContent.trim());
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      [...table.tHead.rows[0].cells].forEach((cell) => cell.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      rows.sort((a, b) => sign * compare(text(a, column), text(b, column)));
      body.append(...rows);
    });
  });

  (table.closest(".pst-scrollable-table-container") ?? table).before(form, count);
  filter();
});
