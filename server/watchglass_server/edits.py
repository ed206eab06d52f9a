"""A variable is set or deleted from outside: its process does it, and tells of it by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from watchglass_server import session_inputs as i
from watchglass_server.live_session import LiveSession
from watchglass_server.refusals import Refused

SET_S = 30.0

R = TypeVar("R")


async def edited(
    live: LiveSession,
    op: str,
    args: Mapping[str, Any],
    name: str,
    author: str | None,
    read: Callable[[Mapping[str, Any]], R],
) -> R:
    """Ask the process for a change, which it tells of as no execution's. Raises Refused."""
    edit = next(live.edits)
    live.apply(i.Edit(edit, name, author))
    try:
        return await live.link.ask(op, args, SET_S, read)
    except Refused:
        if not live.is_failed:
            live.apply(i.EditRefused(edit))
        raise
