// Building elements. Text only ever goes in as text, so a name that looks like markup stays a name.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child);
  }
}

const SVG = "http://www.w3.org/2000/svg";

export function s(tag, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

const ICONS = {
  first: "M6 5h2v14H6zM19 5v14l-10-7z",
  previous: "M16 5v14L6 12z",
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  next: "M8 5v14l10-7z",
  last: "M16 5h2v14h-2zM5 5v14l10-7z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  minus: "M5 11h14v2H5z",
  error: "M5 2h14a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H5a3 3 0 0 1-3-3V5a3 3 0 0 1 3-3zM8.7 7.3L7.3 8.7l3.3 3.3-3.3 3.3 1.4 1.4 3.3-3.3 3.3 3.3 1.4-1.4-3.3-3.3 3.3-3.3-1.4-1.4-3.3 3.3z",
  warning: "M12 2.2L23 21.5H1zM11 9v6.5h2V9zM11 17v2.2h2V17z",
  info: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM11 10.5h2V17h-2zM11 7h2v2.2h-2z",
  undo: "M8 4L3 9l5 5v-3.6h6a3.8 3.8 0 0 1 0 7.6H7v2h7a5.8 5.8 0 0 0 0-11.6H8z",
  unfold_all: "M4 4h16v16H4zM6 6v12h12V6zM11 8h2v3h3v2h-3v3h-2v-3H8v-2h3z",
  fold_all: "M4 4h16v16H4zM6 6v12h12V6zM8 11h8v2H8z",
  link: "M10.600 13.400a4 4 0 0 0 5.650 0l3.500-3.500a4 4 0 0 0-5.650-5.650l-1.800 1.800 1.400 1.400 1.800-1.800a2 2 0 0 1 2.850 2.850l-3.500 3.500a2 2 0 0 1-2.850 0zM13.400 10.600a4 4 0 0 0-5.650 0l-3.500 3.500a4 4 0 0 0 5.650 5.650l1.800-1.800-1.400-1.400-1.800 1.800a2 2 0 0 1-2.850-2.850l3.500-3.500a2 2 0 0 1 2.850 0z",
  thick: "M3 5h18v1H3zM3 10h18v3H3zM3 16h18v5H3z",
  flow: "M5 3h14v6H5zM7 5v2h10V5zM5 15h14v6H5zM7 17v2h10v-2zM11 9h2v3h2.5L12 15.5 8.500 12H11z",
  fit: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
};

export function icon(name) {
  const svg = s("svg", { viewBox: "0 0 24 24", width: 20, height: 20, "aria-hidden": "true" });
  svg.append(s("path", { d: ICONS[name], fill: "currentColor", "fill-rule": "evenodd" }));
  return svg;
}

export function button(name, text, onclick, extra = {}) {
  return h("button", { type: "button", class: `icon ${name}`, title: text, "aria-label": text, onclick, ...extra }, icon(name));
}
