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

  // What scrolls sideways can be scrolled with the keyboard.
  each(".lrlab-table", (e) => {
    if (e.scrollWidth > e.clientWidth) e.tabIndex = 0;
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
