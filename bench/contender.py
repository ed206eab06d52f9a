"""What a system has to be able to do to be measured."""

from __future__ import annotations

from typing import Protocol


class Session(Protocol):
    """One live interpreter behind the system's own WebSocket."""

    async def execute(self, code: str) -> None:
        """Until the client knows that it has ended well."""
        ...

    async def flood(self, code: str) -> str:
        """Run code that prints a lot; the last line, once the client has it."""
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
