// A drawing from text to elements that can do nothing but be seen.

const TAGS = new Set([
  "svg", "g", "path", "polygon", "polyline", "ellipse", "circle", "rect", "line", "text", "tspan", "title", "desc", "defs", "marker", "clipPath",
]);
const ATTRIBUTES = new Set([
  "id", "class", "d", "points", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "ry", "dx", "dy", "width", "height", "viewBox",
  "transform", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "stroke-linecap",
  "stroke-linejoin", "opacity", "font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "textLength", "lengthAdjust",
  "letter-spacing", "orient", "refX", "refY", "markerWidth", "markerHeight", "markerUnits", "marker-end", "clip-path", "xml:space",
]);
const LOCAL = /^url\(#[A-Za-z][\w-]*\)$/;

// `colors` maps a colour of the drawing to the one that stands for it here.
export function safePicture(text, colors = {}) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
  const source = parsed.documentElement;
  if (source.localName !== "svg" || parsed.querySelector("parsererror")) return null;
  return copy(source, colors);
}

// NOTE [allow-list]: copied by name into fresh elements, never cleaned in place: what is not known here does not arrive.
function copy(source, colors) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", source.localName);
  for (const attribute of source.attributes) {
    if (!ATTRIBUTES.has(attribute.name)) continue;
    if (attribute.value.includes("url(") && !LOCAL.test(attribute.value.trim())) continue;
    element.setAttribute(attribute.name, colors[attribute.value] ?? attribute.value);
  }
  for (const child of source.childNodes) {
    if (child.nodeType === 3) element.append(child.nodeValue);
    else if (child.nodeType === 1 && TAGS.has(child.localName)) element.append(copy(child, colors));
  }
  return element;
}
