// Mends what the theme and its extensions tell screen readers wrongly.
document.addEventListener("DOMContentLoaded", () => {
  const each = (selector, mend) => document.querySelectorAll(selector).forEach(mend);
  const name = (selector, label) => each(selector, (e) => e.setAttribute("aria-label", label));

  // A role that was withdrawn, on entries of a list that then has none.
  each(".citation-list, .citation", (e) => e.removeAttribute("role"));

  // The side bar is a landmark.
  each("#pst-primary-sidebar", (e) => e.setAttribute("role", "navigation"));
  name("#pst-primary-sidebar", "Site");

  // Buttons whose label has to begin with the text that is seen on them.
  each(".search-button-field", (e) => e.removeAttribute("aria-label"));
  name(".theme-switch-button", "Colour mode");

  // A corner of a table that heads nothing is no header.
  each("th", (e) => {
    if (e.textContent.trim()) return;
    e.replaceWith(document.createElement("td"));
  });

  // A table that scrolls sideways can be scrolled with the keyboard, and says which one it is.
  const heading = (e) => {
    const inside = e.closest("section")?.querySelector("h1, h2, h3, h4")?.cloneNode(true);
    inside?.querySelector(".headerlink")?.remove();
    return inside?.textContent.trim();
  };
  const tables = new ResizeObserver((seen) =>
    seen.forEach(({ target }) => {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }),
  );
  each(".lrlab-table, .pst-scrollable-table-container", (e) => {
    if (!e.hasAttribute("aria-label")) {
      e.setAttribute("role", "group");
      e.setAttribute("aria-label", ["Table", heading(e)].filter(Boolean).join(": "));
    }
    tables.observe(e);
  });

  // Parameters of a long signature are set as a list without terms.
  each("dt.sig dl", (list) => {
    const lines = document.createElement("div");
    lines.className = "sig-lines";
    list.querySelectorAll(":scope > dd").forEach((item) => {
      const line = document.createElement("div");
      line.append(...item.childNodes);
      lines.append(line);
    });
    list.replaceWith(lines);
  });
});
