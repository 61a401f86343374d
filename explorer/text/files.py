"""What can go wrong with a trace, or with a file that holds one."""

FILES: dict[str, tuple[str, str]] = {
    "trace.invalid": (
        "The trace contradicts itself: {what}. Record it again, or report this file.",
        "트레이스가 서로 모순됩니다: {what}. 다시 기록하거나 이 파일을 알려 주세요.",
    ),
}
