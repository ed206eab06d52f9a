"""Where tokens come from, and where they are kept."""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

FOLDER: Final = ".spacetimedb_client_credentials"

TokenProvider = Callable[[], "str | Awaitable[str | None] | None"]


class FileCredentials:
    """Keeps the token of each database in a file that only its user can read."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path.home() / FOLDER

    def path(self, uri: str, database: str) -> Path:
        """The name is a digest: an address has characters that file systems refuse."""
        digest = hashlib.sha256(f"{uri.rstrip('/')}/{database}".encode()).hexdigest()
        return self._folder / digest[:32]

    def load(self, uri: str, database: str) -> str | None:
        try:
            return self.path(uri, database).read_text().strip() or None
        except FileNotFoundError:
            return None

    def save(self, uri: str, database: str, token: str) -> None:
        path = self.path(uri, database)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(token)
        written.replace(path)

    def __repr__(self) -> str:
        return f"FileCredentials({str(self._folder)!r})"


async def token_of(
    source: str | TokenProvider | FileCredentials | None, uri: str, database: str
) -> str | None:
    """The token to connect with; None for a new identity."""
    if source is None or isinstance(source, str):
        return source
    if isinstance(source, FileCredentials):
        return source.load(uri, database)
    given = source()
    return await given if inspect.isawaitable(given) else given


async def another_token(
    source: str | TokenProvider | FileCredentials | None,
    uri: str,
    database: str,
    refused: str | None,
) -> str | None:
    """What to try when the server refused one: a provider may have a newer one by now."""
    if source is None or isinstance(source, str):
        return refused
    if isinstance(source, FileCredentials):
        return None
    return await token_of(source, uri, database)
