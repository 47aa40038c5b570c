// What is folded on a page opens where a link leads into it, and a command can be copied.
const open_target = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) {
    fold.open = true;
  }
  target.scrollIntoView();
};

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".lrlab-actions details").forEach((fold) => {
    const button = fold.querySelector("button");
    const text = fold.querySelector("pre");
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text); // for Ctrl-C
        button.textContent = "Selected";
      }
    });
  });
  if (location.hash) open_target();
});
window.addEventListener("hashchange", open_target);
