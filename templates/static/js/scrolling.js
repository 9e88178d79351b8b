// What scrolls sideways can be reached by keyboard; what does not is no stop on the way.
const watched = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

for (const one of document.querySelectorAll(".prose pre, .prose table")) watched.observe(one);
