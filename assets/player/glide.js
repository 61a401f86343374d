// From one picture to the next: what is in both moves from its old place to its new one, the rest appears.

const GLIDE = 260; // milliseconds
const MOST_GLIDING = 400; // things that move at once

// Where everything is on the screen.
export function placesOf(scene, onScreen) {
  const found = new Map();
  for (const id of [...scene.nodesOf.keys(), ...scene.foldable.keys()]) {
    if (scene.byId.has(id) && !found.has(id)) found.set(id, onScreen(scene.rectangle(id)));
  }
  return found;
}

export function glide(scene, before, onScreen, scale, size) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const seen = ({ x, y, width, height }) => x < size.width && y < size.height && x + width > 0 && y + height > 0;
  const moves = [];
  for (const [id, to] of placesOf(scene, onScreen)) {
    const from = before.get(id) ?? before.get(id.replace("cluster_", "")) ?? before.get(`cluster_${id}`);
    if (!seen(to) && !(from && seen(from))) continue;
    moves.push([scene.byId.get(id), from, to]);
    if (moves.length > MOST_GLIDING) break;
  }
  const timing = { duration: GLIDE, easing: "ease-out" };
  if (moves.length <= MOST_GLIDING) {
    for (const [element, from, to] of moves) {
      if (from && from.width && to.width) {
        const dx = (from.x + from.width / 2 - to.x - to.width / 2) / scale;
        const dy = (from.y - to.y) / scale;
        if (Math.abs(dx) + Math.abs(dy) > 0.5) element.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: "none" }], timing);
      } else element.animate([{ opacity: 0 }, {}], timing);
    }
  }
  for (const element of scene.svg.querySelectorAll("g.edge, g.folds")) {
    if (moves.length > MOST_GLIDING && !element.matches(".folds")) break;
    element.animate([{ opacity: 0 }, { opacity: 0, offset: 0.5 }, {}], timing);
  }
}
