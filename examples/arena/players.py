"""Players: for each unit a session of Watchglass, tied to its rows, with a script that steers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from examples.arena.calls import Calls
from examples.arena.mirror import execute
from spacetimedb_client import Connection

SCRIPTS = Path(__file__).parent / "scripts"
ROWS = {  # of each variable: the table of the row that it follows, and the column
    "me": ("unit", None),
    "others": ("sight", "others"),
    "food": ("sight", "food"),
    "heading": ("steering", "heading"),  # written back when the script changes it
}


def script_text(name: str) -> str:
    """A file of scripts/."""
    return (SCRIPTS / f"{name}.py").read_text()


@dataclass(frozen=True, slots=True)
class Player:
    """A unit, its session, and the script that it began with."""

    call: Calls
    mirror: Connection
    unit: str
    session: str
    script: str

    @classmethod
    async def joined(cls, call: Calls, mirror: Connection, unit: str, script: str) -> Self:
        """In the session that has the unit's name: from an earlier time, or a new one."""
        known = (await call("session.list"))["sessions"]
        found = [each for each in known if each["name"] == unit]
        session = (found or [await call("session.create", name=unit)])[0]["session"]
        await call("session.join", session=session, name="the arena")
        return cls(call, mirror, unit, session, script)

    async def bind(self, database: str) -> None:
        """Its variables follow rows from now on, however often the process is another."""
        for name, (table, column) in ROWS.items():
            row = {"table": f"{database}/{table}", "key": self.unit}
            if column is not None:
                row["column"] = column
            await self.call("session.bind", session=self.session, name=name, **row)

    async def start(self) -> None:
        """Run the kit, then the script."""
        await self.execute(script_text("kit"))
        await self.execute(script_text(self.script))

    async def execute(self, code: str, key: str | None = None) -> None:
        """Have it run, by a row; `key` names the row of the answer."""
        await execute(self.mirror, self.session, code, key)

    async def restart(self) -> None:
        """A new process, whatever the old one is doing."""
        await self.call("restart", session=self.session)
        await self.start()

    async def link(self) -> str:
        """Who opens it in a browser may execute in this session, and in no other."""
        shared = await self.call("session.share", session=self.session, role="editor")
        return str(shared["link"])
