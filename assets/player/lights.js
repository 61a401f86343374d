// What of the picture stands out while the rest fades: what a node comes from and leads to, paths between two nodes, where gradients flow,
// modules of one class.

export function lights(data) {
  const after = data.nodes.map(() => []);
  const before = data.nodes.map(() => []);
  for (const [source, , target] of data.edges) { after[source].push(target); before[target].push(source); }
  let scene = null;
  let shown = null;

  const reach = (start, ways) => {
    const found = new Set([start]);
    const border = [start];
    while (border.length) for (const next of ways[border.pop()]) if (!found.has(next)) { found.add(next); border.push(next); }
    return found;
  };
  const nodesOf = (what) => {
    if (what.kind === "lineage") return new Set([...reach(what.node, before), ...reach(what.node, after)]);
    if (what.kind === "paths") {
      const between = (one, other) => { const behind = reach(other, before); return [...reach(one, after)].filter((node) => behind.has(node)); };
      return new Set([...between(what.from, what.to), ...between(what.to, what.from)]);
    }
    if (what.kind === "reaches") return reach(what.node, after);
    if (what.kind === "flow") return new Set(data.nodes.filter((node) => node.gradients.some(Boolean)).map((node) => node.id));
    const frames = new Set();
    data.frames.forEach(([, , name, , around], index) => { if (name === what.name || frames.has(around)) frames.add(index); });
    return new Set(data.stands.flatMap((frame, node) => (within(frame, frames) ? [node] : [])));
  };
  const within = (frame, frames) => {
    for (let at = frame; at !== null; at = data.frames[at][4]) if (frames.has(at)) return true;
    return false;
  };
  const apply = () => {
    if (!scene) return;
    for (const element of scene.svg.querySelectorAll(".lit")) element.classList.remove("lit");
    scene.svg.classList.toggle("lensed", Boolean(shown));
    if (!shown) return;
    const nodes = nodesOf(shown);
    for (const node of nodes) scene.byId.get(scene.boxOf[node])?.classList.add("lit");
    const carries = (edge) => nodes.has(data.edges[edge][0]) && nodes.has(data.edges[edge][2]) && (shown.kind !== "flow" || data.edges[edge][4]);
    for (const [arrow, edges] of scene.picture.arrows) if (edges.some(carries)) scene.byId.get(arrow)?.classList.add("lit");
  };
  return {
    on(next) { scene = next; apply(); },
    show(what) { if (what !== shown) { shown = what; apply(); } },
  };
}
