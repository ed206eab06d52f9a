"""What the calls about files of the watched folder do: list them, load one, say how it reloads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from watchglass_server import commands as c
from watchglass_server import replies as r
from watchglass_server import session_inputs as i
from watchglass_server.fields import ScriptKind
from watchglass_server.given_scripts import GivenScripts
from watchglass_server.live_session import LiveSession
from watchglass_server.pictures import ScriptRun
from watchglass_server.refusals import Refused, bad_request
from watchglass_server.rooms import Client
from watchglass_server.scripts import Script
from watchglass_server.session_fold import LoadedScript, script_kind
from watchglass_server.sessions import Sessions
from watchglass_server.tokens import new_id

Perform = Callable[[Client, Any], Awaitable[r.Reply]]
Author = Callable[[Client, LiveSession], str | None]


class ScriptCalls:
    """`script.list`, `script.load` and `script.set`."""

    def __init__(self, sessions: Sessions, given: GivenScripts, author: Author) -> None:
        self._sessions = sessions
        self._given = given
        self._author = author
        self.performs: Mapping[type[c.Command], Perform] = {
            c.ScriptListCommand: self._list,
            c.ScriptLoadCommand: self._load,
            c.ScriptSetCommand: self._set,
        }

    async def _list(self, _: Client, command: c.ScriptListCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        imported = await self._given.give(live.link.process)
        known = live.state.fold.scripts
        catalog = self._given.catalog
        gone = sorted({*known, *imported} - set(catalog.scripts))
        return r.ScriptListReply(
            watching=self._given.folder is not None,
            scripts=[
                _entry(path, catalog.scripts.get(path), known.get(path), imported.get(path))
                for path in [*catalog.scripts, *gone]
            ],
            refused=[r.RefusedScript(path=path, why=why) for path, why in catalog.refused.items()],
        )

    async def _load(self, client: Client, command: c.ScriptLoadCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        script = self._script(command.path)
        kind = command.kind or await self._kind(live, script.path)
        if kind == "module" and script.module is None:
            raise bad_request(
                "kind",
                f"'{script.path}' cannot be imported: parts of its name are no Python names.",
                "Load it as a script, or give the file another name.",
            )
        known = live.state.fold.scripts.get(script.path)
        mode = command.reload or (known.reload if known is not None else "ask")
        run = ScriptRun(path=script.path, version=script.version, kind=kind, reload=mode)
        key = new_id("e")
        author = self._author(client, live)
        by_owner = client.is_server
        live.apply(i.Execute(key, script.code(kind), author, run, by_owner=by_owner))
        number = live.state.fold.last_number
        await live.durable()
        return r.ScriptLoadReply(execution=key, number=number, version=script.version, kind=kind)

    async def _set(self, _: Client, command: c.ScriptSetCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        script = self._script(command.path)
        kind = await self._kind(live, script.path)
        live.apply(i.ScriptMode(script.path, kind, command.reload))
        await live.durable()
        return r.EmptyReply()

    async def _kind(self, live: LiveSession, path: str) -> ScriptKind:
        imported = await self._given.give(live.link.process)
        known = live.state.fold.scripts.get(path)
        return script_kind(known, is_imported=path in imported) or "script"

    def _script(self, path: str) -> Script:
        """A file by its path: looked up among those that are known, and never on the disk."""
        if self._given.folder is None:
            raise Refused(
                "not_available",
                "This server watches no folder, so that there is no file to load.",
                "Start it with `watchglass serve --watch DIR`.",
            )
        catalog = self._given.catalog
        script = catalog.scripts.get(path)
        if script is None:
            why = catalog.refused.get(path)
            raise bad_request(
                "path",
                f"'{path}' {why}." if why else f"There is no file '{path}' in the watched folder.",
                "Call script.list to see the files that can be loaded.",
            )
        return script


def _entry(
    path: str, script: Script | None, known: LoadedScript | None, imported: str | None
) -> r.ScriptEntry:
    """One line of the list; of a module the process itself knows which version it has."""
    kind = script_kind(known, is_imported=imported is not None)
    loaded = known.version if known is not None and kind == "script" else imported
    return r.ScriptEntry(
        path=path,
        version=script.version if script is not None else None,
        loaded=loaded or None,
        kind=kind,
        reload=known.reload if known is not None else "ask",
        importable=script is not None and script.module is not None,
    )
