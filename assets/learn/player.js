// The player inside a lesson: built when it comes near, so that several in one lesson cost no more than the one in sight.

const NEAR = "400px";

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".player");
  const before = parentElement.lesson;
  const kept = before?.start === data.start ? before : { start: data.start, before: { key: data.recording.key, k: data.start }, player: before?.player ?? null, all: null };
  parentElement.lesson = kept;
  if (kept.player) Object.assign(kept, { before: kept.player.state(), player: kept.player.stop() });
  root.lang = data.recording.language;
  root.dataset.theme = themeAround(root);
  let standing = data.picture;
  const pictures = {
    current: () => standing,
    note() {},
    ask: async (asked) => {
      kept.all ??= unpacked(data.pictures);
      const found = following(await kept.all, asked);
      standing = found ?? standing;
      kept.player?.show(found ?? { ...standing, said: data.recording.texts.not_brought });
    },
  };
  const link = (k) => {
    const url = new URL(location.href);
    url.searchParams.set("part", data.name);
    url.searchParams.set("step", String(k));
    return url.href;
  };
  arrive(parentElement, data.name);
  const build = () => {
    seen.disconnect();
    root.classList.remove("waiting");
    kept.player = mountPlayer(root, data.recording, { before: kept.before, shared: true, link, pictures });
  };
  const seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && build(), { rootMargin: NEAR });
  seen.observe(root);
  return () => {
    seen.disconnect();
    if (kept.player) Object.assign(kept, { before: kept.player.state(), player: kept.player.stop() });
  };
}
