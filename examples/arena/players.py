"""Players ⇄ Watchglass: a session for each unit, and the script in it (docs/protocol.md)."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import socketio

SCRIPTS = Path(__file__).parent / "scripts"


class CallRefused(Exception):
    """Watchglass said no, and why."""


class Sessions:
    """One connection to the server, by its own token: the owner of every session."""

    def __init__(self, address: str) -> None:
        self.url, _, self._token = address.partition("/#token=")
        self._socket = socketio.AsyncClient(handle_sigint=False)

    async def __aenter__(self) -> Self:
        await self._socket.connect(self.url, auth={"token": self._token}, transports=["websocket"])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._socket.disconnect()

    async def call(self, event: str, **fields: Any) -> dict[str, Any]:
        """What the call was acknowledged with."""
        answer: Any = await self._socket.call(event, fields)
        if not answer["ok"]:
            error = answer["error"]
            raise CallRefused(f"{event}: {error['message']} {error['hint']}")
        return dict(answer)

    async def open(self, name: str) -> str:
        """The session of this name, from an earlier time or new; its id."""
        known = (await self.call("session.list"))["sessions"]
        found = [str(each["session"]) for each in known if each["name"] == name]
        session = (
            found[0] if found else str((await self.call("session.create", name=name))["session"])
        )
        await self.call("session.join", session=session, name="the arena")
        return session

    async def bind(self, session: str, unit: str) -> None:
        """Its variables follow rows of the arena; `heading` is written back when it changes."""
        for name, table, column in (
            ("me", "unit", None),
            ("others", "sight", "others"),
            ("food", "sight", "food"),
            ("heading", "steering", "heading"),
        ):
            where = {"table": f"arena/{table}", "key": unit}
            if column:
                where["column"] = column
            await self.call("session.bind", session=session, name=name, **where)

    async def start(self, session: str, script: str) -> None:
        """Run the kit, then the script."""
        for name in ("kit", script):
            await self.call("execute", session=session, code=script_text(name))

    async def link(self, session: str) -> str:
        """Who opens it in a browser may execute there."""
        shared = await self.call("session.share", session=session, role="editor", label="arena")
        return str(shared["link"])


def script_text(name: str) -> str:
    return (SCRIPTS / f"{name}.py").read_text()
