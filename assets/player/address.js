// What the address of the page says: the step, what is open, the colours.

// Where one was, if it is the same recording; else what the address says, which is of an example once another recording was open.
export function startingStep(data, address, last) {
  if (last?.key === data.key) return last.k;
  if (last && !data.linked) return 1;
  const asked = address ? Number(new URLSearchParams(location.search).get("step")) : 0;
  return Number.isInteger(asked) && asked > 0 ? asked : data.start ?? 1;
}

export function rememberStep(k) {
  const url = new URL(location.href);
  if (url.searchParams.get("step") === String(k)) return;
  url.searchParams.set("step", String(k));
  history.replaceState(history.state, "", url);
}

// The address of this page at step k.
export function linkTo(k) {
  const url = new URL(location.href);
  url.searchParams.set("step", String(k));
  return url.href;
}

// The address says what is open, so that a copied link shows the same picture; at first it says nothing.
export function rememberPicture({ folding, first }, painted) {
  const url = new URL(location.href);
  const put = (name, value) => (value ? url.searchParams.set(name, value) : url.searchParams.delete(name));
  put("open", first ? null : [...(folding.all ? ["all"] : []), ...folding.ids].join("."));
  put("flow", folding.flow === "down" ? null : folding.flow);
  put("focus", folding.focus === null ? null : String(folding.focus));
  put("hops", folding.focus === null ? null : String(folding.hops));
  put("overlay", painted);
  if (url.href !== location.href) history.replaceState(history.state, "", url);
}

export function linkedOverlay(data) {
  const name = new URLSearchParams(location.search).get("overlay");
  return data.book.overlays.includes(name) ? name : null;
}
