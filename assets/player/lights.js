// What of the picture stands out while the rest fades: what a node comes from and leads to, paths between two nodes, where gradients flow,
// modules of one class.

export function lights(data) {
  const { book } = data;
  const after = (node) => Array.from(book.out(node), (edge) => book.target[edge]);
  const before = (node) => Array.from(book.into(node), (edge) => book.source[edge]);
  let scene = null;
  let shown = null;
  let stands = null; // the innermost frame around each node, once they are needed

  const reach = (start, ways) => {
    const found = new Set([start]);
    const border = [start];
    while (border.length) for (const next of ways(border.pop())) if (!found.has(next)) { found.add(next); border.push(next); }
    return found;
  };
  const nodesOf = (what) => {
    if (what.kind === "lineage") return new Set([...reach(what.node, before), ...reach(what.node, after)]);
    if (what.kind === "paths") {
      const between = (one, other) => { const behind = reach(other, before); return [...reach(one, after)].filter((node) => behind.has(node)); };
      return new Set([...between(what.from, what.to), ...between(what.to, what.from)]);
    }
    if (what.kind === "reaches") return reach(what.node, after);
    if (what.kind === "flow") return new Set(Array.from({ length: book.count.nodes }, (_, node) => node).filter(book.graded));
    const frames = new Set();
    data.frames.forEach(([, , name, , around], index) => { if (name === what.name || frames.has(around)) frames.add(index); });
    const found = new Set();
    stands?.forEach((frame, node) => { if (within(frame, frames)) found.add(node); });
    return found;
  };
  const within = (frame, frames) => {
    for (let at = frame; at !== null && at >= 0; at = data.frames[at][4]) if (frames.has(at)) return true;
    return false;
  };
  const apply = () => {
    if (!scene) return;
    for (const element of scene.svg.querySelectorAll(".lit")) element.classList.remove("lit");
    scene.svg.classList.toggle("lensed", Boolean(shown));
    if (!shown) return;
    if (shown.kind === "class" && !stands) return book.names((names) => { ({ stands } = names); apply(); });
    const nodes = nodesOf(shown);
    for (const node of nodes) scene.byId.get(scene.boxOf[node])?.classList.add("lit");
    const carries = (edge) => nodes.has(book.source[edge]) && nodes.has(book.target[edge]) && (shown.kind !== "flow" || book.carries(edge));
    for (const [arrow, edges] of scene.picture.arrows) if (edges.some(carries)) scene.byId.get(arrow)?.classList.add("lit");
  };
  return {
    on(next) { scene = next; apply(); },
    show(what) { if (what !== shown) { shown = what; apply(); } },
  };
}
