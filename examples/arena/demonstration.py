"""The parts of the arena, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from examples.arena import game, rules
from examples.arena.bridge import Bridge
from examples.arena.game import Game
from examples.arena.pages import Pages
from examples.arena.players import Sessions, script_text
from examples.arena.rows import ARENA_TABLES, MIRROR_TABLES, Rows
from examples.arena.servers import MIRROR, connect_to_mirror, watchglass

NAMES = ("Ann", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal")
PLAYED = ("chaser", "coward", "wanderer")  # over and over
SCRIPTS = (*PLAYED, "dizzy")


class Demonstration:
    """A game, the sessions of its players, and the page."""

    def __init__(self, uri: str, folder: Path, players: int) -> None:
        self._uri = uri
        self._folder = folder
        self._names = NAMES[:players]
        self._game: Game
        self._sessions: Sessions

    @asynccontextmanager
    async def started(self, isolation: str) -> AsyncIterator[str]:
        """Everything is there; the address of the page."""
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            arena = await enter(game.open_arena(self._uri, self._folder))
            server = await enter(
                watchglass(
                    self._folder,
                    *("--spacetimedb", f"{self._uri}/{MIRROR}", "--isolation", isolation),
                    *("--pool-max-size", str(len(self._names) + 1)),
                )
            )
            mirror = await enter(connect_to_mirror(self._uri, self._folder))
            self._game = Game(arena)
            self._sessions = await enter(Sessions(server))
            self._bridge = Bridge(self._sessions, arena)
            rows = Rows()
            await rows.follow(arena, ARENA_TABLES)
            await rows.follow(mirror, MIRROR_TABLES)
            places = enumerate(self._names)
            links = await asyncio.gather(*(self._join(place, unit) for place, unit in places))
            pages = Pages(rows, greeting(dict(zip(self._names, links, strict=True))), self._execute)
            yield await enter(pages.serve())

    async def _join(self, place: int, unit: str) -> str:
        """A player enters: its unit, its session, what ties them, and its script."""
        script = PLAYED[place % len(PLAYED)]
        await self._game.enter(unit)
        session = await self._sessions.open(unit)
        self._bridge.units[session] = unit
        await self._sessions.call("variable.set", session=session, name="heading", value=0)
        for name in ("me", "others", "food"):
            await self._sessions.call("variable.set", session=session, name=name, value=[])
        await self._sessions.start(session, script)
        await self._game.note_player(unit, session, script, place)
        return await self._sessions.link(session)

    async def run(self) -> None:
        """The game goes on until this is cancelled."""
        await asyncio.gather(self._game.run(), self._bridge.run())

    async def _execute(self, session: str, code: str) -> None:
        await self._sessions.call("execute", session=session, code=code)


def greeting(links: dict[str, str]) -> dict[str, Any]:
    """What a page is told first."""
    return {
        "width": rules.WIDTH,
        "height": rules.HEIGHT,
        "radius": rules.RADIUS,
        "sight": rules.SIGHT,
        "tick_ms": rules.TICK_S * 1000,
        "scripts": {name: script_text(name) for name in SCRIPTS},
        "kit": script_text("kit"),
        "links": links,
    }
