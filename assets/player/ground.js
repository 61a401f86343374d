// Whether the page around a component is dark, by its ground: Streamlit says no more than its colours.

export function themeAround(root) {
  const probe = document.createElement("span");
  probe.style.color = "var(--st-background-color)";
  root.append(probe);
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128 ? "dark" : "light";
}
