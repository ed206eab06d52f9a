"""Server → process: the files of the watched folder, given to each process as modules."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from weakref import WeakKeyDictionary

import msgspec

from watchglass_server.errors import (
    InvalidState,
    ProcessDied,
    QueryError,
    QueryTimeout,
    SetupError,
)
from watchglass_server.process import PyodideProcess
from watchglass_server.scripts import Catalog, ScriptChange, differences, read_catalog

_log = logging.getLogger(__name__)

GIVE_S = 3.0
PREPARE_S = 20.0
BATCH_CHARACTERS = 2**20

Version = Annotated[str, msgspec.Meta(max_length=64)]


@dataclass(eq=False)
class Held:
    """What one process was given, and what it said it has imported."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    versions: dict[str, str] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    loaded: Mapping[str, str] = field(default_factory=dict)


class GivenScripts:
    """The files as they are on the disk, and who has which of them."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.catalog = Catalog()
        self._held: WeakKeyDictionary[PyodideProcess, Held] = WeakKeyDictionary()

    async def open(self) -> None:
        """Read the folder for the first time. Raises SetupError when there is none."""
        if self.folder is None:
            return
        if not self.folder.is_dir():
            raise SetupError(f"--watch {self.folder}: there is no such folder; make it first.")
        await self.read()
        for path, why in self.catalog.refused.items():
            _log.warning("%s is not given to sessions: it %s", path, why)

    async def read(self) -> list[ScriptChange]:
        """Read the folder again; return what has changed."""
        if self.folder is None:
            return []
        before, self.catalog = self.catalog, await asyncio.to_thread(read_catalog, self.folder)
        return differences(before, self.catalog)

    async def prepare(self, process: PyodideProcess) -> None:
        """Give a process that just started what there is."""
        if self.catalog.scripts:
            await self.give(process, PREPARE_S)

    async def give(
        self, process: PyodideProcess | None, timeout: float = GIVE_S
    ) -> Mapping[str, str]:
        """Give a process what it lacks; return what it has imported, as far as it answers."""
        if self.folder is None or process is None:
            return {}
        held = self._held.setdefault(process, Held())
        async with held.lock:
            try:
                for batch in batches(held.versions, self.catalog):
                    await self._give_batch(process, held, batch, timeout)
            except (ProcessDied, QueryError, QueryTimeout, InvalidState) as error:
                _log.info("%r took no files: %s", process, error)
        return held.loaded

    async def _give_batch(
        self, process: PyodideProcess, held: Held, batch: Mapping[str, Any], timeout: float
    ) -> None:
        answer = await process.query("modules", batch, timeout=timeout)
        for path in batch["removed"]:
            held.versions.pop(path, None)
        for file in batch["files"]:
            held.versions[file["path"]] = file["version"]
            held.paths.add(file["path"])
        try:
            said = msgspec.convert(answer.get("loaded"), dict[str, Version])
        except msgspec.ValidationError as error:
            _log.warning("%r said of its modules what cannot be: %s", process, error)
        else:
            # Code in the session can say anything: only what was given counts.
            held.loaded = {path: version for path, version in said.items() if path in held.paths}


def batches(held: Mapping[str, str], catalog: Catalog) -> Iterator[dict[str, Any]]:
    """What a process lacks, in questions of a bounded size; always at least one."""
    removed = [path for path in held if path not in catalog.scripts]
    files: list[dict[str, str]] = []
    room = BATCH_CHARACTERS
    for script in catalog.scripts.values():
        if held.get(script.path) == script.version:
            continue
        if files and len(script.text) > room:
            yield {"files": files, "removed": removed}
            files, removed, room = [], [], BATCH_CHARACTERS
        files.append({"path": script.path, "version": script.version, "text": script.text})
        room -= len(script.text)
    yield {"files": files, "removed": removed}
