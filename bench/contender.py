"""What a system has to be able to do to be measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

SETTLED_S = 0.05
"""How long a busy loop has run when it is interrupted."""


@dataclass(frozen=True)
class Flood:
    """Printed text on its way to a client, in seconds since it was asked for."""

    seen_s: float
    """The client has the last line."""
    read_s: float
    """The client has every line."""
    text: str


class Session(Protocol):
    """One live interpreter behind the system's own WebSocket."""

    async def execute(self, code: str) -> None:
        """Until the client knows that it has ended well."""
        ...

    async def flood(self, code: str) -> Flood:
        """Run code that prints a lot."""
        ...

    async def interrupt(self, code: str) -> float:
        """Run a busy loop and stop it: the seconds until the client knows that it has ended."""
        ...

    async def close(self) -> None: ...


class Contender(Protocol):
    name: str

    async def open(self) -> Session:
        """A new session, up to the end of its first execution."""
        ...

    def session_pids(self) -> list[int]:
        """The processes that exist for the sake of sessions."""
        ...

    @property
    def server_pid(self) -> int: ...


class BenchFailed(Exception):
    """A system did not do what it was asked to: there is nothing to compare."""
