"""Messages and remedies of findings, by kind."""

FINDINGS: dict[str, tuple[str, str]] = {
}
