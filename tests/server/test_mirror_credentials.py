"""The token of the mirror's owner comes from a file, is kept, and is missed in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacetimedb_client import FileCredentials
from watchglass_server.config import Config
from watchglass_server.errors import SetupError
from watchglass_server.mirror_credentials import LONGEST_TOKEN, settle_credentials
from watchglass_sync.mirror_address import MirrorAddress

ADDRESS = MirrorAddress("http://127.0.0.1:3000", "watchglass")


def settled(folder: Path, *, file: Path | None = None, resume: bool = True) -> str | None:
    """The token that is there afterwards."""
    credentials = FileCredentials(folder / "spacetimedb")
    config = Config(spacetimedb=ADDRESS, spacetimedb_token_file=file, resume_from_mirror=resume)
    settle_credentials(config, ADDRESS, credentials)
    return credentials.load(ADDRESS.uri, ADDRESS.database)


def test_a_token_from_a_file_is_kept_for_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a.b.c\n")
    assert settled(tmp_path, file=file) == "a.b.c"
    assert settled(tmp_path) == "a.b.c"
    file.write_text("d.e.f")
    assert settled(tmp_path, file=file) == "d.e.f"


def test_without_one_nothing_can_be_resumed_and_it_is_said_where_one_lies(tmp_path: Path) -> None:
    assert settled(tmp_path, resume=False) is None
    kept = FileCredentials(tmp_path / "spacetimedb").path(ADDRESS.uri, ADDRESS.database)
    with pytest.raises(
        SetupError, match=f"spacetimedb/{kept.name}: copy.*--spacetimedb-token-file"
    ):
        settled(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"two\nlines", b"\xff", "é".encode(), b"x" * (LONGEST_TOKEN + 1)]
)
def test_a_file_that_holds_no_token_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(SetupError, match=r"--spacetimedb-token-file: .*token"):
        settled(tmp_path, file=file)
    with pytest.raises(SetupError, match="cannot be read"):
        settled(tmp_path, file=tmp_path)
    assert settled(tmp_path, resume=False) is None
