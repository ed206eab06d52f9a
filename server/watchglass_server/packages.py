"""Packages for sessions: resolved, fetched, checked and cached by the server."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.version import Version

from watchglass_server.config import Config
from watchglass_server.errors import SetupError
from watchglass_server.package_cache import PackageCache
from watchglass_server.package_index import IndexFailed, PackageIndex
from watchglass_server.package_pages import Candidate, Project, canonical, merged
from watchglass_server.package_policy import PackagePolicy, Permission
from watchglass_server.package_resolver import Choice, Known, Missing, Unsolvable, resolve
from watchglass_server.pictures import Package
from watchglass_server.pip_command import PipCommand, project_of
from watchglass_server.pip_settings import index_of_pip
from watchglass_server.wheel_folder import WheelFolder, WheelFolderReader
from watchglass_server.wheels import (
    MAX_UNPACKED_BYTES,
    Metadata,
    WheelRefused,
    metadata_of,
    read_metadata,
    read_wheel,
)

_log = logging.getLogger(__name__)

INSTALL_S: Final = 300.0
INSTALLS_AT_ONCE: Final = 4
TURNS: Final = 1000

Tell = Callable[[str], None]


class InstallFailed(Exception):
    """Packages cannot be had; says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One command, with what the session has already and what it may use."""

    command: PipCommand
    permission: Permission
    installed: Sequence[Package]


class Packages:
    """All that sessions of this server install goes through here. `open` first, `close` last."""

    def __init__(self, config: Config, environment: Mapping[str, str] = os.environ) -> None:
        self._config = config
        self._environment = environment
        self.cache = PackageCache(config.cache_dir)
        self._reader = WheelFolderReader(config.wheel_dir, self.cache) if config.wheel_dir else None
        self._folder = WheelFolder()
        self._index: PackageIndex | None = None
        self._index_lock = asyncio.Lock()
        self._places = asyncio.Semaphore(INSTALLS_AT_ONCE)

    @property
    def policy(self) -> PackagePolicy:
        """Who may install what."""
        return PackagePolicy(
            owner=self._config.packages,
            shared=self._config.shared_packages,
            allowed=frozenset(canonical(name) for name in self._config.allow_package),
            has_folder=self._reader is not None,
            modules=self._folder.modules,
        )

    async def open(self) -> None:
        """Read the folder of wheels. Raises SetupError when there is none."""
        if self._reader is None:
            return
        if not self._reader.folder.is_dir():
            folder = self._reader.folder
            raise SetupError(f"--wheel-dir {folder}: there is no such folder; make it first.")
        await self._read_folder()
        for name, why in self._folder.refused.items():
            _log.warning("%s of --wheel-dir is not for sessions: it %s", name, why)

    async def close(self) -> None:
        """Close the connections to the index."""
        if self._index is not None:
            await self._index.close()

    async def install(self, asked: Asked, tell: Tell) -> list[Package]:
        """The wheels that are new to the session, ready in the cache. Raises InstallFailed."""
        try:
            async with asyncio.timeout(INSTALL_S), self._places:
                return await self._install(asked, tell)
        except TimeoutError:
            raise InstallFailed(
                f"This took longer than {INSTALL_S:g} s and was given up; try again later, or with "
                "fewer packages at once."
            ) from None
        except (IndexFailed, WheelRefused) as error:
            raise InstallFailed(str(error)) from error
        except Unsolvable as error:
            raise InstallFailed(f"{error} {asked.permission.why_not}".strip()) from error

    async def wheel(self, package: Package) -> bytes:
        """The bytes of a wheel that was installed before. Raises InstallFailed."""
        data = await asyncio.to_thread(self.cache.read, package.sha256)
        if data is not None:
            return data
        try:
            await self._read_folder()  # it may lie there, still or again
            if data := await asyncio.to_thread(self.cache.read, package.sha256):
                return data
            if self._config.packages == self._config.shared_packages == "off":
                raise InstallFailed("it is no longer in the cache, and --packages is off")
            project = await (await self._opened_index()).project(package.name)
            found = [one for one in project.candidates if one.sha256 == package.sha256]
            if not found:
                raise InstallFailed("it is no longer in the cache, nor at the index")
            await self._fetch(found[0], _log.info)
        except (IndexFailed, WheelRefused) as error:
            raise InstallFailed(f"it is no longer in the cache, and: {error}") from error
        data = await asyncio.to_thread(self.cache.read, package.sha256)
        if data is None:
            raise InstallFailed("the cache cannot be read")
        return data

    # --- inside

    async def _read_folder(self) -> None:
        if self._reader is None:
            return
        try:
            self._folder = await asyncio.to_thread(self._reader.read)
        except OSError as error:
            _log.warning("--wheel-dir %s cannot be read: %s", self._reader.folder, error)

    async def _opened_index(self) -> PackageIndex:
        async with self._index_lock:
            if self._index is None:
                url = self._config.package_index or await index_of_pip(self._environment)
                if url is None:
                    raise IndexFailed(
                        "No package index is known: start the server with --package-index URL."
                    )
                self._index = PackageIndex(url)
        return self._index

    async def _install(self, asked: Asked, tell: Tell) -> list[Package]:
        await self._read_folder()
        search = _Search(asked, self, tell)
        chosen = await search.run()
        held = {(one.name, one.version) for one in asked.installed if one.state == "installed"}
        new = [one for one in chosen if (one.project, str(one.version)) not in held]
        for one in chosen:
            if one not in new and one.project in search.named:
                tell(f"Requirement already satisfied: {one.project} {one.version}")
        found = await asyncio.gather(*(self._ready(one, search, tell) for one in new))
        _must_fit(asked.installed, found)
        return found

    async def _ready(self, wheel: Candidate, search: _Search, tell: Tell) -> Package:
        """Have it in the cache, and look through all of it."""
        path = await asyncio.to_thread(self.cache.find, wheel.sha256)
        if path is None:
            path = await self._fetch(wheel, tell)
        elif wheel.sha256 not in search.fetched:
            tell(f"Using cached {wheel.filename}")
        content = await asyncio.to_thread(read_wheel, path, wheel.filename)
        used = search.known.metadata.get(wheel.sha256)
        if used is not None and used != content.metadata:
            raise InstallFailed(
                f"{wheel.filename} holds other metadata than the index tells of it; nothing of it "
                "was used. Tell who runs the index."
            )
        return Package(
            name=wheel.project,
            version=str(wheel.version),
            filename=wheel.filename,
            sha256=wheel.sha256,
            unpacked_bytes=content.unpacked_bytes,
            state="installed",
        )

    async def _fetch(self, wheel: Candidate, tell: Tell) -> Path:
        index = await self._opened_index()
        size = f" ({_shown_bytes(wheel.size)})" if wheel.size is not None else ""
        tell(f"Downloading {wheel.filename}{size}")
        with self.cache.incoming() as incoming:
            await index.download(wheel, incoming)
            try:
                await asyncio.to_thread(read_wheel, incoming, wheel.filename)
            except WheelRefused as error:
                raise WheelRefused(f"{wheel.filename} {error}") from None
            return await asyncio.to_thread(self.cache.keep, incoming, wheel.sha256)

    # --- what a search asks for

    async def project(self, name: str, asked: Asked) -> Project:
        """What all places that it may use have of a project."""
        installed = [one for one in asked.installed if one.name == name]
        own = Project(name, tuple(_installed(one) for one in installed))
        folder = self._folder.projects.get(name) if asked.permission.folder else None
        if not asked.permission.index:
            return merged(name, own, folder, Project(name, why=_NOT_IN_FOLDER))
        try:
            index = await (await self._opened_index()).project(name)
        except IndexFailed:
            if folder is None and not installed:
                raise
            index = None
        return merged(name, own, folder, index)

    async def metadata(self, wheel: Candidate, tell: Tell) -> Metadata:
        """What a wheel says of itself. Raises WheelRefused, IndexFailed."""
        known = self._folder.metadata.get(wheel.sha256)
        if known is not None:
            return known
        path = await asyncio.to_thread(self.cache.find, wheel.sha256)
        if path is None and wheel.origin == "installed":
            return Metadata(wheel.project, wheel.version)  # as long as nobody needs it again
        if path is None and wheel.metadata_sha256 is not None:
            data = await (await self._opened_index()).metadata(wheel)
        else:
            path = path or await self._fetch(wheel, tell)
            data = await asyncio.to_thread(metadata_of, path)
        metadata = await asyncio.to_thread(read_metadata, data)
        if (metadata.project, metadata.version) != (wheel.project, wheel.version):
            raise WheelRefused(f"says that it is {metadata.project} {metadata.version}")
        return metadata


_NOT_IN_FOLDER = "It is not in the folder of --wheel-dir, from which alone this may be installed."


class _Search:
    """One search for wheels: runs the resolver, reads what it lacks, and runs it again."""

    def __init__(self, asked: Asked, packages: Packages, tell: Tell) -> None:
        self.known = Known()
        self.fetched: set[str] = set()
        self.named = {project_of(one) for one in asked.command.requirements}
        self._asked = asked
        self._packages = packages
        self._tell = tell

    async def run(self) -> list[Candidate]:
        command = self._asked.command
        choice = Choice(
            upgrade=frozenset(self.named) if command.upgrade else frozenset(),
            pre=command.pre,
            dependencies=command.dependencies,
        )
        for _ in range(TURNS):
            try:
                return await asyncio.to_thread(resolve, command.requirements, self.known, choice)
            except Missing as missing:
                await asyncio.gather(
                    *(self._learn_project(name) for name in sorted(missing.projects)),
                    *(self._learn_wheel(one) for one in missing.wheels),
                )
        raise Unsolvable("Too much would have to be read for this; say which versions you want.")

    async def _learn_project(self, name: str) -> None:
        self._tell(f"Collecting {name}")
        self.known.projects[name] = await self._packages.project(name, self._asked)

    async def _learn_wheel(self, wheel: Candidate) -> None:
        def tell(line: str) -> None:
            self.fetched.add(wheel.sha256)
            self._tell(line)

        try:
            self.known.metadata[wheel.sha256] = await self._packages.metadata(wheel, tell)
        except WheelRefused as error:
            self.known.refused[wheel.sha256] = f"{wheel.filename} {error}"
            self.known.metadata[wheel.sha256] = Metadata(wheel.project, wheel.version)


def _installed(package: Package) -> Candidate:
    return Candidate(
        project=package.name,
        version=Version(package.version),
        filename=package.filename,
        sha256=package.sha256,
        rank=0,
        origin="installed",
    )


def _must_fit(installed: Sequence[Package], new: Sequence[Package]) -> None:
    replaced = {one.name for one in new}
    kept = [one for one in installed if one.name not in replaced]
    unpacked = sum(one.unpacked_bytes for one in (*kept, *new))
    if unpacked > MAX_UNPACKED_BYTES:
        raise InstallFailed(
            f"The packages of this session would take {_shown_bytes(unpacked)}; at most "
            f"{_shown_bytes(MAX_UNPACKED_BYTES)} fit. Uninstall some, or use another session."
        )


def _shown_bytes(count: int) -> str:
    for unit, size in (("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
