"""What a session may use: what was asked for, within what the server allows. Pure."""

from __future__ import annotations

from typing import Any

from watchglass_server import pictures
from watchglass_server.commands import Limits
from watchglass_server.config import Config
from watchglass_server.cpu_hour import CpuHour
from watchglass_server.refusals import Refused
from watchglass_server.session_state import SessionLimits
from watchglass_sync.records import SessionRow


def server_limits(config: Config) -> SessionLimits:
    """What the server allows a session at most."""
    return SessionLimits(
        memory_bytes=config.memory_limit,
        output_bytes=config.output_limit,
        wall_s=config.wall_limit,
        cpu_s=config.cpu_limit,
        cpu_hour_s=config.cpu_hour_limit,
        interrupt_grace_s=config.interrupt_grace,
        max_queue=config.max_queue,
        code_bytes=config.code_limit,
        variables=config.variables_limit,
        variables_bytes=config.variables_size_limit,
        participants=config.max_participants,
        calls_per_s=config.max_rate,
    )


def limits_asked(config: Config, asked: Limits | None) -> SessionLimits:
    """What was asked for; refused where it is more than the server's settings."""
    allowed, asked = server_limits(config), asked or Limits()
    most = shown_limits(allowed)
    for field in asked.__struct_fields__:
        wanted, limit = getattr(asked, field), getattr(most, field)
        if wanted is not None and limit is not None and wanted > limit:
            raise _too_much(field, wanted, limit)
    return _tightened(allowed, asked)


def limits_stored(config: Config, row: SessionRow) -> SessionLimits:
    """The session's own limits, where this server still allows them."""
    fields: Any = row.fields.get("limits") or {}
    stored = Limits(**{name: fields.get(name) for name in Limits.__struct_fields__})
    return _tightened(server_limits(config), stored)


def hour_stored(row: SessionRow) -> CpuHour:
    """What the session had used of its processor time when it was stored."""
    minutes: Any = row.fields.get("cpu_minutes") or []
    return CpuHour(tuple((int(minute), float(used)) for minute, used in minutes))


def shown_limits(limits: SessionLimits) -> pictures.Limits:
    """The limits as clients see them."""
    return pictures.Limits(
        memory_bytes=limits.memory_bytes,
        wall_s=limits.wall_s,
        cpu_s=limits.cpu_s,
        cpu_hour_s=limits.cpu_hour_s,
        output_bytes=limits.output_bytes,
        code_bytes=limits.code_bytes,
        variables=limits.variables,
        variables_bytes=limits.variables_bytes,
        queue=limits.max_queue,
        participants=limits.participants,
        calls_per_s=limits.calls_per_s,
    )


def _tightened(allowed: SessionLimits, own: Limits) -> SessionLimits:
    return SessionLimits(
        memory_bytes=_least(own.memory_bytes, allowed.memory_bytes),
        output_bytes=_least(own.output_bytes, allowed.output_bytes),
        wall_s=_tighter(own.wall_s, allowed.wall_s),
        cpu_s=_tighter(own.cpu_s, allowed.cpu_s),
        cpu_hour_s=_tighter(own.cpu_hour_s, allowed.cpu_hour_s),
        interrupt_grace_s=allowed.interrupt_grace_s,
        max_queue=_least(own.queue, allowed.max_queue),
        code_bytes=_least(own.code_bytes, allowed.code_bytes),
        variables=_least(own.variables, allowed.variables),
        variables_bytes=_least(own.variables_bytes, allowed.variables_bytes),
        participants=_least(own.participants, allowed.participants),
        calls_per_s=_tighter(own.calls_per_s, allowed.calls_per_s),
    )


def _least(own: int | None, allowed: int) -> int:
    return allowed if own is None else min(own, allowed)


def _tighter(own: float | None, allowed: float | None) -> float | None:
    both = [limit for limit in (own, allowed) if limit is not None]
    return min(both) if both else None


def _too_much(field: str, asked: float, most: float) -> Refused:
    return Refused(
        "limit_exceeded",
        f"`limits.{field}` is {asked:,}; this server allows {most:,}.",
        "Ask for less, or have the server started with a higher limit.",
        field=f"limits.{field}",
    )
