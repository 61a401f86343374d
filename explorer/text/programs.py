"""Titles and topics of the example programs."""

PROGRAMS: dict[str, tuple[str, str]] = {
}
