// Pictures that came along with a recording, where no server is asked for others: an exported file, a lesson.
//
// NOTE [packed]: they are compressed text, unpacked when the first of them is asked for.

export async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
}

// The picture among `all` after `act` on the one with this folding; undefined where it did not come along.
export function following(all, { folding, act }) {
  const from = all.find((one) => JSON.stringify(one.folding) === JSON.stringify(folding));
  return act ? wanted(all, from ?? all[0], act) : from;
}

function wanted(all, from, act) {
  const way = from.ways[JSON.stringify(act)] ?? all[0].ways[JSON.stringify(act)];
  if (way !== undefined) return all[way];
  const target = act.reveal ?? act.into;
  const has = (picture) => (typeof target === "number" ? boxAt(picture, target)?.[0] === "n"
    : picture.foldable.some(([id]) => id === `cluster_${target}` || (act.reveal && id === target && !picture.cards.includes(id))));
  return target === undefined ? undefined : [from, ...all.toSorted((one, other) => one.svg.length - other.svg.length)].find(has);
}

function boxAt(picture, node) {
  let before = 0;
  for (const [box, count] of picture.boxes) {
    before += count;
    if (node < before) return box;
  }
  return null;
}
