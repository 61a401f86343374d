// Signs on modules that open and close them, and the choice that a card of equal modules offers.

import { h, s } from "./dom.js";

const RADIUS = 7.5;
const STRIP = 22; // height of a frame's title, where a press closes it

// `ask` gets the act and what is to stay under the eye, in the order of preference; `place` says where a box is on the screen.
export function foldLayer(scene, { words, room, ask, place }) {
  const layer = s("g", { class: "folds" });
  const signs = new Map();
  for (const [id, { name }] of scene.foldable) {
    if (!scene.byId.has(id)) continue;
    const sign = signFor(scene, id, name, words);
    signs.set(id, sign);
    layer.append(sign);
  }
  scene.svg.append(layer);
  const order = [...signs.values()];
  order[0]?.setAttribute("tabindex", "0");
  let menu = null;

  const closeMenu = () => {
    if (!menu) return false;
    menu.remove();
    menu = null;
    return true;
  };
  const turn = (id) => {
    closeMenu();
    const own = id.replace("cluster_", "");
    const { parts } = scene.foldable.get(id);
    if (id !== own) return ask({ close: own }, [id, own]);
    if (scene.picture.cards.includes(id)) return openMenu(id);
    return ask({ open: own }, [own, `cluster_${own}`, ...parts.flatMap((part) => [part, `cluster_${part}`])]);
  };
  const openMenu = (id) => {
    const { name, parts } = scene.foldable.get(id);
    const kept = [id, ...parts.flatMap((part) => [part, `cluster_${part}`])];
    const item = (text, act, ids = kept) => h("button", { type: "button", role: "menuitem", onclick: () => { closeMenu(); ask(act, ids); } }, text);
    menu = h("div", { class: "menu over", role: "menu", "aria-label": name },
      item(words.card_row.replace("{count}", parts.length), { open: id }),
      item(words.card_all.replace("{count}", parts.length), { each: id }),
      h("p", {}, words.card_one),
      h("div", { class: "list" }, parts.map((part) => item(scene.partName(part), { into: part }, [id, part, `cluster_${part}`]))));
    menu.addEventListener("keydown", (event) => {
      const items = [...menu.querySelectorAll("button")];
      const at = items.indexOf(event.target) + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0);
      if (event.key === "Escape") { closeMenu(); signs.get(id).focus(); } else if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
      else items[(at + items.length) % items.length].focus();
      event.preventDefault();
      event.stopPropagation();
    });
    room.append(menu);
    const at = place(id);
    menu.style.left = `${Math.max(6, Math.min(at.x + at.width - 20, room.clientWidth - menu.offsetWidth - 6))}px`;
    menu.style.top = `${Math.max(6, Math.min(at.y + 14, room.clientHeight - menu.offsetHeight - 6))}px`;
    menu.querySelector("button").focus({ preventScroll: true });
  };

  layer.addEventListener("keydown", (event) => {
    const sign = event.target.closest(".fold");
    if (!sign) return;
    if (event.key === "Enter" || event.key === " ") turn(sign.dataset.id);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const to = order[order.indexOf(sign) + (event.key === "ArrowDown" ? 1 : -1)];
      if (to) { sign.setAttribute("tabindex", "-1"); to.setAttribute("tabindex", "0"); to.focus(); }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    closeMenu,
    // Which module's sign has the focus, if any.
    focused: () => layer.getRootNode().activeElement?.dataset?.id ?? null,
    focus(id) {
      if (!id) return;
      const own = id.replace("cluster_", "");
      const sign = signs.get(`cluster_${own}`) ?? signs.get(own) ?? signs.get(scene.foldable.get(id)?.parts[0]);
      if (!sign) return;
      order[0].setAttribute("tabindex", "-1");
      sign.setAttribute("tabindex", "0");
      sign.focus({ preventScroll: true });
    },
    // Whether a press opened or closed something: a sign, a closed module, the title of an open one.
    pressed(event) {
      if (menu) { closeMenu(); return true; }
      const sign = event.target.closest(".fold");
      const group = event.target.closest("g[id]");
      const id = sign?.dataset.id ?? (group && signs.has(group.id) ? group.id : null);
      if (!id) return false;
      if (!sign && id.startsWith("cluster_") && !onTitle(event, group)) return false;
      turn(id);
      return true;
    },
  };
}

function signFor(scene, id, name, words) {
  const box = scene.rectangle(id);
  const opened = id.startsWith("cluster_");
  const x = box.x + box.width - (opened ? 13 : 3);
  const y = box.y + (opened ? 11.5 : 3);
  const sign = s("g", { class: "fold", "data-id": id, role: "button", tabindex: "-1", "aria-expanded": String(opened), "aria-label": (opened ? words.fold : words.unfold).replace("{name}", name) });
  sign.append(s("circle", { cx: x, cy: y, r: RADIUS + 5, class: "reach" }), s("circle", { cx: x, cy: y, r: RADIUS, class: "disc" }),
    s("path", { d: `M${x - 3.6} ${y}h7.2${opened ? "" : `M${x} ${y - 3.6}v7.2`}` }));
  return sign;
}

function onTitle(event, group) {
  if (event.target.localName === "text") return true;
  const frame = group.querySelector(":scope > path").getBoundingClientRect();
  const scale = frame.height / (group.querySelector(":scope > path").getBBox().height || 1);
  return event.clientY - frame.top < STRIP * scale;
}
