// The font that the drawing was measured in, brought along in pieces: known to the whole page, since a shadow root may not have its own.

const FAMILY = "Explorer Sans";
const WEIGHTS = { Regular: "400", Bold: "700" };

// `ready` says whether all pieces are there; `remove` takes them away again.
export function drawingFonts(pieces) {
  const faces = Object.entries(pieces).map(([style, data]) => new FontFace(FAMILY, bytes(data), { weight: WEIGHTS[style] }));
  for (const face of faces) document.fonts.add(face);
  return {
    ready: Promise.all(faces.map((face) => face.load())).then(() => true, () => false),
    remove: () => { for (const face of faces) document.fonts.delete(face); },
  };
}

function bytes(data) {
  const text = atob(data);
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
