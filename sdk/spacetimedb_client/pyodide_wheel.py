"""A wheel of both packages for Pyodide: pure Python that asks for nothing else."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

VERSION: Final = "0.1.0"  # as in pyproject.toml
STEM: Final = f"spacetimedb_client-{VERSION}"
NAME: Final = f"{STEM}-py3-none-any.whl"
INFO: Final = f"{STEM}.dist-info"
PACKAGES: Final = ("spacetimedb_bsatn", "spacetimedb_client")
# What needs a terminal, a process, or packages that are not there.
LEFT_OUT: Final = frozenset(
    {
        *("__main__.py", "aiohttp_transport.py", "cli.py", "pyodide_wheel.py", "terminal.py"),
        *("subcommands", "testing"),
    }
)
LEFT_OUT_SUFFIXES: Final = frozenset({".pyc", ".wat"})
METADATA: Final = f"""\
Metadata-Version: 2.1
Name: spacetimedb-client
Version: {VERSION}
Summary: SpacetimeDB from Python, inside Pyodide on the browser's WebSocket.
Requires-Python: >=3.11
"""
WHEEL: Final = """\
Wheel-Version: 1.0
Generator: spacetimedb-py
Root-Is-Purelib: true
Tag: py3-none-any
"""
DATED: Final = (1980, 1, 1, 0, 0, 0)  # the same files make the same wheel


def pyodide_wheel() -> bytes:
    """Made of the packages as they are installed here."""
    files = dict(package_files()) | {
        f"{INFO}/METADATA": METADATA.encode(),
        f"{INFO}/WHEEL": WHEEL.encode(),
    }
    files[f"{INFO}/RECORD"] = record(files)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, DATED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            wheel.writestr(entry, data)
    return made.getvalue()


def package_files() -> Iterator[tuple[str, bytes]]:
    client = Path(__file__).parent
    for package in PACKAGES:
        folder = client.with_name(package)
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            is_left_out = package == client.name and inside.parts[0] in LEFT_OUT
            if path.is_file() and path.suffix not in LEFT_OUT_SUFFIXES and not is_left_out:
                yield f"{package}/{inside.as_posix()}", path.read_bytes()


def record(files: Mapping[str, bytes]) -> bytes:
    """The list of members that installers check."""
    lines = [f"{name},sha256={digest(data)},{len(data)}\n" for name, data in files.items()]
    return "".join([*lines, f"{INFO}/RECORD,,\n"]).encode()


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
