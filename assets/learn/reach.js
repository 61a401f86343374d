// Whoever has no mouse scrolls with the keyboard what is wider than its place: a formula, a line of code, a table.

const SCROLLED = /auto|scroll/;

export function reach() {
  const lesson = document.querySelector(".st-key-lesson");
  if (!lesson || lesson === document.autogradExplorerReached) return;
  document.autogradExplorerReached = lesson;
  const look = () => {
    for (const one of lesson.querySelectorAll("*")) {
      const wide = one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1;
      if (wide && !one.hasAttribute("tabindex") && SCROLLED.test(getComputedStyle(one).overflowX)) one.tabIndex = 0;
    }
  };
  let waiting = null;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(look, 300); };
  new ResizeObserver(soon).observe(lesson);
  new MutationObserver(soon).observe(lesson, { childList: true, subtree: true });
  soon();
}
