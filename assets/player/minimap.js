// The whole picture, small, in a corner, with a frame around what is seen; press or drag in it to go there.

import { h } from "./dom.js";

const WIDE = 132;
const HIGH = 108;

export function minimap(words, { onmove }) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const seen = h("div", { class: "seen" });
  const dot = h("div", { class: "dot" });
  const element = h("div", { class: "minimap over", role: "img", "aria-label": words.minimap, hidden: true }, canvas, seen, dot);
  let scene = null;
  let scale = 1;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    onmove((event.clientX - box.left) / scale, (event.clientY - box.top) / scale);
  };
  element.addEventListener("pointerdown", (event) => { element.setPointerCapture(event.pointerId); place(event); });
  element.addEventListener("pointermove", (event) => { if (event.buttons) place(event); });

  return {
    element,
    load(next, dark) {
      scene = next;
      scale = Math.min(WIDE / scene.width, HIGH / scene.height);
      const [width, height] = [Math.max(8, scene.width * scale), Math.max(8, scene.height * scale)];
      const fine = devicePixelRatio || 1;
      canvas.width = width * fine;
      canvas.height = height * fine;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      const brush = canvas.getContext("2d");
      brush.scale(fine * scale, fine * scale);
      for (const id of scene.foldable.keys()) {
        if (!id.startsWith("cluster_") || !scene.byId.has(id)) continue;
        const box = scene.rectangle(id);
        brush.fillStyle = dark ? "rgba(150,175,210,.12)" : "rgba(60,90,140,.09)";
        brush.fillRect(box.x, box.y, box.width, box.height);
      }
      for (const id of scene.nodesOf.keys()) {
        if (!scene.byId.has(id)) continue;
        const box = scene.rectangle(id);
        brush.fillStyle = id[0] === "n" ? (dark ? "#8b98a8" : "#8d99a9") : dark ? "#6f93c9" : "#7f9fcd";
        brush.fillRect(box.x, box.y, Math.max(box.width, 1 / scale), Math.max(box.height, 1 / scale));
      }
    },
    // Hidden while everything is seen.
    frame(view, { width, height }) {
      const [left, top] = [-view.x / view.scale, -view.y / view.scale];
      const [wide, high] = [width / view.scale, height / view.scale];
      element.hidden = !scene || (left <= 8 && top <= 8 && left + wide >= scene.width - 8 && top + high >= scene.height - 8);
      if (element.hidden) return;
      const clip = (at, most) => Math.min(Math.max(at, 0), most);
      const [x, y, right, low] = [clip(left, scene.width), clip(top, scene.height), clip(left + wide, scene.width), clip(top + high, scene.height)];
      seen.style.transform = `translate(${x * scale}px, ${y * scale}px)`;
      seen.style.width = `${Math.max(3, (right - x) * scale)}px`;
      seen.style.height = `${Math.max(3, (low - y) * scale)}px`;
    },
    now(id, side) {
      const there = id && scene?.byId.has(id);
      dot.hidden = !there;
      if (!there) return;
      const box = scene.rectangle(id);
      dot.className = `dot ${side}`;
      dot.style.transform = `translate(${(box.x + box.width / 2) * scale - 3}px, ${(box.y + box.height / 2) * scale - 3}px)`;
    },
  };
}
