"""What a session may use: what was asked for, within what the server allows. Pure."""

from __future__ import annotations

import msgspec

from watchglass_server.commands import Limits
from watchglass_server.config import Config
from watchglass_server.refusals import Refused
from watchglass_server.session_state import SessionLimits
from watchglass_sync.records import SessionRow


def limits_asked(config: Config, asked: Limits | None) -> SessionLimits:
    """What was asked for; refused where it is more than the server's settings."""
    asked = asked or Limits()
    return SessionLimits(
        memory_bytes=_within(asked.memory_bytes, config.memory_limit, "memory_bytes"),
        output_bytes=_within(asked.output_bytes, config.output_limit, "output_bytes"),
        wall_s=_tighter(asked.wall_s, config.wall_limit, "wall_s"),
        cpu_s=_tighter(asked.cpu_s, config.cpu_limit, "cpu_s"),
        interrupt_grace_s=config.interrupt_grace,
        max_queue=config.max_queue,
    )


def limits_stored(config: Config, row: SessionRow) -> SessionLimits:
    """The session's own limits, where this server still allows them."""
    stored = msgspec.convert(row.fields.get("limits") or {}, Limits)
    return SessionLimits(
        memory_bytes=min(stored.memory_bytes or 2**63, config.memory_limit),
        output_bytes=min(stored.output_bytes or 2**63, config.output_limit),
        wall_s=_least(stored.wall_s, config.wall_limit),
        cpu_s=_least(stored.cpu_s, config.cpu_limit),
        interrupt_grace_s=config.interrupt_grace,
        max_queue=config.max_queue,
    )


def _within(asked: int | None, most: int, field: str) -> int:
    if asked is not None and asked > most:
        raise _too_much(field, asked, most)
    return most if asked is None else asked


def _tighter(asked: float | None, most: float | None, field: str) -> float | None:
    if asked is not None and most is not None and asked > most:
        raise _too_much(field, asked, most)
    return most if asked is None else asked


def _least(one: float | None, other: float | None) -> float | None:
    both = [limit for limit in (one, other) if limit is not None]
    return min(both) if both else None


def _too_much(field: str, asked: float, most: float) -> Refused:
    return Refused(
        "limit_exceeded",
        f"`limits.{field}` is {asked:,}; this server allows {most:,}.",
        "Ask for less, or have the server started with a higher limit.",
        field=f"limits.{field}",
    )
