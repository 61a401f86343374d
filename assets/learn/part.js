// A place in a lesson that a link can lead to: the button that copies the link, and the way there when the page was opened with it.

export default function ({ data, parentElement }) {
  const place = parentElement.querySelector(".part");
  const link = () => {
    const url = new URL(location.href);
    for (const name of ["step", "part"]) url.searchParams.delete(name);
    url.searchParams.set("part", data.part);
    return url.href;
  };
  place.replaceChildren(...linkButton(data.words, { link }));
  arrive(parentElement, data.part);
  reach();
}
