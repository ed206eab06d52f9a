"""Who the server is to the mirror's database: the token that it keeps, or is given in a file."""

from __future__ import annotations

from pathlib import Path

from spacetimedb_client import FileCredentials
from watchglass_server.config import Config
from watchglass_server.errors import SetupError
from watchglass_sync.mirror_address import MirrorAddress

LONGEST_TOKEN = 16 * 1024


def settle_credentials(
    config: Config, address: MirrorAddress, credentials: FileCredentials
) -> None:
    """See that there is a token where one is needed; a given one is kept. Raises SetupError."""
    if config.spacetimedb_token_file is not None:
        token = _read(config.spacetimedb_token_file)
        if token != credentials.load(address.uri, address.database):
            credentials.save(address.uri, address.database, token)
    elif config.resume_from_mirror and credentials.load(address.uri, address.database) is None:
        kept = credentials.path(address.uri, address.database)
        raise SetupError(
            f"--resume-from-mirror needs the token of the owner of {address}, and this data "
            "directory has none. The server that wrote the mirror keeps it in its own data "
            f"directory, in {kept.parent.name}/{kept.name}: copy that file to where only you can "
            "read it, and name it with --spacetimedb-token-file."
        )


def _read(path: Path) -> str:
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(
            f"--spacetimedb-token-file: {path} cannot be read ({error}); name a file that holds "
            "the token and nothing else."
        ) from error
    if not text or len(text) > LONGEST_TOKEN or not text.isascii() or not text.isprintable():
        raise SetupError(
            f"--spacetimedb-token-file: {path} holds no token; it must be one line of text."
        )
    return text
