"""The parts of the arena, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from examples.arena import rules
from examples.arena.calls import Calls
from examples.arena.game import DATABASE as ARENA
from examples.arena.game import Game, open_arena
from examples.arena.mirror import DATABASE as MIRROR
from examples.arena.mirror import open_mirror
from examples.arena.pages import Pages
from examples.arena.players import Player, script_text
from examples.arena.rows import ARENA_TABLES, MIRROR_TABLES, Rows
from examples.arena.servers import Watchglass
from spacetimedb_client import Connection

NAMES = ("Ann", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal")
PLAYED = ("chaser", "coward", "wanderer")  # over and over
SCRIPTS = (*PLAYED, "dizzy")


class Demonstration:
    """A game, the sessions of its players, and the page."""

    def __init__(self, game: Game, server: Watchglass, pages: Pages) -> None:
        """Call `started` instead."""
        self.pages = pages
        self._game = game
        self._server = server

    @classmethod
    @asynccontextmanager
    async def started(
        cls, uri: str, folder: Path, players: int, isolation: str
    ) -> AsyncIterator[Demonstration]:
        """With everything that it needs; the database server is there already."""
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            arena = await enter(open_arena(uri, folder))
            mirrored = ("--spacetimedb", f"{uri}/{MIRROR}", "--isolation", isolation)
            room = ("--pool-max-size", str(players + 1))
            server = await enter(Watchglass.started(folder, *mirrored, *room))
            mirror = await enter(open_mirror(uri, folder, arena))
            call = await enter(Calls(server.address))
            game = Game(arena)
            await game.leave(NAMES[players:])
            rows = Rows()
            await rows.follow(arena, ARENA_TABLES)
            await rows.follow(mirror, MIRROR_TABLES)
            entering = (entered(game, call, mirror, place) for place in range(players))
            there = await asyncio.gather(*entering)
            pages = Pages(rows, await greeting(there), {each.unit: each for each in there})
            await enter(pages.serve())
            yield cls(game, server, pages)

    async def run(self) -> None:
        """Until this is cancelled, or one of the servers ends by itself: raises what it said."""
        parts = {
            asyncio.ensure_future(self._game.run()),
            asyncio.ensure_future(self._server.ended()),
        }
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            done.pop().result()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)


async def entered(game: Game, call: Calls, mirror: Connection, place: int) -> Player:
    """A player: its unit, its session, what ties them, and its script."""
    unit = NAMES[place]
    await game.enter(unit)
    player = await Player.joined(call, mirror, unit, PLAYED[place % len(PLAYED)])
    await player.bind(ARENA)
    await player.start()
    await game.note_player(unit, player.session, player.script, place)
    return player


async def greeting(players: Sequence[Player]) -> dict[str, Any]:
    """What a page is told first."""
    return {
        "width": rules.WIDTH,
        "height": rules.HEIGHT,
        "radius": rules.RADIUS,
        "sight": rules.SIGHT,
        "tick_ms": rules.TICK_S * 1000,
        "scripts": {name: script_text(name) for name in SCRIPTS},
        "links": {each.unit: await each.link() for each in players},
    }
