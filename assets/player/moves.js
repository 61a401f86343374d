// How a person moves the picture.

// Drag to move, wheel and two fingers to scale; a press that does not move is a click.
export function moves(panel, { pan, scaleAt, onclick }) {
  const pointers = new Map();
  let travelled = 0;
  const at = (event) => {
    const box = panel.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  panel.addEventListener("pointerdown", (event) => {
    if (event.target.closest(".over")) return;
    if (pointers.size === 0) travelled = 0;
    pointers.set(event.pointerId, at(event));
  });
  panel.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    if (pointers.size === 1) {
      travelled += Math.hypot(now.x - before.x, now.y - before.y);
      if (travelled > 3) {
        if (!panel.hasPointerCapture(event.pointerId)) panel.setPointerCapture(event.pointerId);
        panel.classList.add("dragging");
        pan(now.x - before.x, now.y - before.y);
      }
    } else if (pointers.size === 2) {
      travelled = 10;
      const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
      const [was, is] = [Math.hypot(before.x - other.x, before.y - other.y), Math.hypot(now.x - other.x, now.y - other.y)];
      if (was > 0) scaleAt((now.x + other.x) / 2, (now.y + other.y) / 2, is / was);
      pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    }
    pointers.set(event.pointerId, now);
  });
  const up = (event) => {
    pointers.delete(event.pointerId);
    panel.classList.remove("dragging");
  };
  panel.addEventListener("pointerup", up);
  panel.addEventListener("pointercancel", up);
  panel.addEventListener("click", (event) => {
    if (travelled <= 3 && !event.target.closest(".over")) onclick(event);
  });
  panel.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = at(event);
    scaleAt(x, y, Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)));
  }, { passive: false });
}
