"""Which server a session belongs to: asked before a session is opened."""

from __future__ import annotations

from typing import Protocol


class Ownership(Protocol):
    """Is it mine, and if not, whose?"""

    async def elsewhere(self, session: str) -> str | None:
        """The address of the server that owns the session; None when this one does."""
        ...

    async def give_back(self, session: str) -> None:
        """This server is done with the session."""
        ...


class OnlyServer:
    """One server on one data directory, which its lock makes sure of: every session is ours."""

    async def elsewhere(self, session: str) -> str | None:
        """None, always."""
        return None

    async def give_back(self, session: str) -> None:
        """Nothing to do."""
