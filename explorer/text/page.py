"""The web app: labels, step sentences, help and empty states."""

PAGE: dict[str, tuple[str, str]] = {
}
