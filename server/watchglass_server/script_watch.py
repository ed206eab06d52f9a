"""Disk → sessions: what changed in the watched folder is told to each session that uses it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing

from watchglass_server import folder_watch
from watchglass_server import session_inputs as i
from watchglass_server.given_scripts import GivenScripts
from watchglass_server.live_session import LiveSession
from watchglass_server.refusals import Refused
from watchglass_server.scripts import ScriptChange
from watchglass_server.sessions import Sessions
from watchglass_server.tokens import new_id

_log = logging.getLogger(__name__)

TRY_AGAIN_S = 2.0


class ScriptWatch:
    """Follows the folder as long as the server runs."""

    def __init__(self, given: GivenScripts, sessions: Sessions) -> None:
        self._given = given
        self._sessions = sessions

    async def run(self) -> None:
        """Follow it for ever; a folder that is gone may come back."""
        folder = self._given.folder
        if folder is None:
            return
        told = ""
        while True:
            try:
                async with aclosing(folder_watch.changes(folder)) as changes:
                    async for _ in changes:
                        await self.look()
                why = "it was moved or deleted"
            except (OSError, RuntimeError) as error:
                why = str(error)
            if why != told:
                _log.warning("%s is not watched for the moment: %s", folder, why)
                told = why
            await asyncio.sleep(TRY_AGAIN_S)
            await self.look()

    async def look(self) -> None:
        """Read the folder again, and tell what has changed."""
        refused = self._given.catalog.refused
        changed = await self._given.read()
        for path, why in self._given.catalog.refused.items():
            if refused.get(path) != why:
                _log.warning("%s is not given to sessions: it %s", path, why)
        if changed:
            await asyncio.gather(*(self._tell(live, changed) for live in self._sessions.live))

    async def _tell(self, live: LiveSession, changed: Sequence[ScriptChange]) -> None:
        try:
            loaded = await self._given.give(live.link.process)
            self._apply(live, changed, loaded)
        except Refused as error:
            _log.warning("session %s: %s", live.session, error)
        except Exception:
            _log.exception("session %s was not told of changed files", live.session)

    def _apply(
        self, live: LiveSession, changed: Sequence[ScriptChange], loaded: Mapping[str, str]
    ) -> None:
        for change in changed:
            live.apply(
                i.ScriptChanged(new_id("e"), change.path, change.script, change.path in loaded)
            )

    async def catch_up(self, live: LiveSession) -> None:
        """A process has started, with modules as they are now: what follows is old scripts."""
        catalog = self._given.catalog.scripts
        behind = [
            ScriptChange(path, catalog[path])
            for path, known in live.state.fold.scripts.items()
            if known.reload == "auto" and known.kind == "script" and known.version
            if path in catalog and catalog[path].version != known.version
        ]
        if behind:
            await self._tell(live, behind)
