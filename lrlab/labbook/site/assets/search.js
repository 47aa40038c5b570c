// Results in the order of the parts of the book, with excerpts that were written with the pages:
// from a disk a page can't fetch another. `PAGES` has for each page its weight and its text.
const plain = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

// A page whose name is the query, in one word or several, comes before those that have the words.
const name_score = (query, page, title) => {
  const [name, own] = [plain(title), plain(page.replace(/.*\/(\d{4}-\d\d-\d\d-)?/, ""))];
  if (name === query || own === query) return 60;
  if (query.length > 3 && name.includes(query)) return 15;
  return 0;
};

const ranked = (query) => {
  const words = plain(query);
  const spellings = [...new Set([query, query.replace(/[\s_-]+/g, "")])];
  const best = new Map();
  spellings.forEach((spelling) => {
    const [, ...terms] = Search._parseQuery(spelling);
    Search._performSearch(spelling, ...terms).forEach(([page, title, anchor, about, score]) => {
      const whole = title.split(" > ")[0];
      const total = score + (PAGES[page]?.[0] ?? 0) + name_score(words, page, about ? "" : whole);
      const known = best.get(page);
      if (!known || known.total < total) best.set(page, { page, title, anchor, about, total });
    });
  });
  return [...best.values()].sort((a, b) => b.total - a.total || (a.page < b.page ? 1 : -1));
};

const excerpt = (page, query) => {
  const text = PAGES[page]?.[1] ?? "";
  const lower = text.toLowerCase();
  const words = [query.toLowerCase(), ...query.toLowerCase().split(/\s+/)];
  const place = words.map((word) => lower.indexOf(word)).find((found) => found >= 0) ?? 0;
  const start = place < 100 ? 0 : text.lastIndexOf(" ", place - 80) + 1;
  const end = start + 240 < text.length ? text.lastIndexOf(" ", start + 240) : text.length;
  const shown = text.slice(start, end);
  return shown && `${start ? "… " : ""}${shown}${end < text.length ? " …" : ""}`;
};

Search.query = (query) => {
  const found = ranked(query.trim());
  Search.stopPulse();
  Search.title.textContent = "Results";
  const pages = found.length === 1 ? "One page" : `${found.length} pages`;
  Search.status.textContent = found.length
    ? `${pages} found.`
    : "No page has all of these words. Try fewer of them, or another spelling.";
  const root = document.documentElement.dataset.content_root ?? "./";
  found.forEach(({ page, title, anchor, about }) => {
    const line = document.createElement("li");
    const link = line.appendChild(document.createElement("a"));
    link.href = `${root}${page}.html${anchor}`;
    link.textContent = title.replace(/<[^>]*>/g, "");
    if (about) line.append(` (${about})`);
    const text = line.appendChild(document.createElement("p"));
    text.className = "context";
    text.textContent = excerpt(page, query.trim());
    Search.output.append(line);
  });
};
