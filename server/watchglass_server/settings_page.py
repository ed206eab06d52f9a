"""config.py → docs/settings.md."""

from __future__ import annotations

from watchglass_server.config import SETTINGS, flag, shown, variable


def settings_page(command: str) -> str:
    """Return the whole page."""
    lines = [
        f"<!-- Generated from watchglass_server/config.py by `{command}`. Do not edit. -->",
        "",
        "# Settings of `watchglass serve`",
        "",
        "A flag counts before its environment variable, and that before the default. Durations are "
        "seconds, or a number with `ms`, `s`, `m`, `h` or `d`; sizes are bytes, or a number with "
        "`K`, `M` or `G`; `none` means no limit.",
        "",
        "| flag | variable | default | |",
        "| --- | --- | --- | --- |",
    ]
    for row in SETTINGS:
        metavar = f" {row.metadata['metavar']}" if row.metadata["metavar"] else ""
        lines.append(
            f"| `{flag(row.name)}{metavar}` | `{variable(row.name)}` | {shown(row)} "
            f"| {row.metadata['words']} |"
        )
    return "\n".join(lines) + "\n"
