"""What can go wrong when a program is found, started and watched."""

RUNNING: dict[str, tuple[str, str]] = {
}
