// The key "/" leads to the search box.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const here = document.activeElement;
  if (here && (here.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(here.tagName))) return;
  const box = document.querySelector("main [data-search]") ?? document.querySelector("[data-search]");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});
