// The font that the drawing was measured in, brought along in pieces, and Hangul for the text around it where the machine has none:
// known to the whole page, since a shadow root may not have fonts of its own.

const FACES = {
  Regular: ["Explorer Sans", { weight: "400" }],
  Bold: ["Explorer Sans", { weight: "700" }],
  Text: ["Explorer Text", { weight: "100 900" }],
};

// `ready` says whether all pieces are there; `remove` takes them away again.
export function drawingFonts(pieces) {
  const faces = Object.entries(pieces).map(([style, data]) => new FontFace(FACES[style][0], bytes(data), FACES[style][1]));
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
