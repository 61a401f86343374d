"""What the command line says: help and messages."""

COMMANDS: dict[str, tuple[str, str]] = {
}
