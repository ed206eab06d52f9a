"""Interim: rows ⇄ variables, until session.bind is there."""

from __future__ import annotations

import asyncio
from typing import Any

from examples.arena.calls import Calls
from spacetimedb_client import Connection


class Bridge:
    def __init__(self, sessions: Calls, connection: Connection) -> None:
        self.sessions, self.connection = sessions, connection
        self.units: dict[str, str] = {}
        self.tasks: dict[tuple[str, str], asyncio.Task[Any]] = {}
        sessions.socket.on("event", self.event)

    async def event(self, event: dict[str, Any]) -> None:
        unit = self.units.get(event["session"])
        if unit and event["type"] == "variables.changed":
            for change in event["data"]["changes"]:
                if change["name"] == "heading" and change["op"] == "set":
                    value = change["variable"]["value"]
                    if isinstance(value, int | float):
                        row = {"unit": unit, "heading": float(value)}
                        await self.connection.reducers.steering_upsert(row)

    async def run(self) -> None:
        while True:
            jobs = []
            for session, unit in self.units.items():
                me = self.connection.db.unit.name.find(unit)
                sight = self.connection.db.sight.unit.find(unit)
                values = {"me": plain(me), "others": plain(sight.others), "food": plain(sight.food)}
                jobs += [
                    self.sessions("variable.set", session=session, name=n, value=v)
                    for n, v in values.items()
                ]
            await asyncio.gather(*jobs, return_exceptions=True)
            await asyncio.sleep(0.2)


def plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if hasattr(value, "__struct_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return value
