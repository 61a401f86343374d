"""Words in pictures, and what is said when one cannot be drawn or written."""

DRAWING: dict[str, tuple[str, str]] = {
}
