"""Wheels made by the test itself: sound ones, and ones that nobody should unpack."""

from __future__ import annotations

import hashlib
import io
import stat
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PURE = "py3-none-any"


@dataclass(frozen=True)
class MadeWheel:
    """One wheel, as bytes under its name."""

    filename: str
    data: bytes = field(repr=False)
    metadata: bytes = field(repr=False, default=b"")

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def put(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.filename
        path.write_bytes(self.data)
        return path


def make_wheel(
    name: str,
    version: str = "1.0",
    *,
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
    requires_python: str | None = None,
    files: Mapping[str, bytes] | None = None,
    tag: str = PURE,
) -> MadeWheel:
    """A wheel whose only module says which version it is."""
    stem = name.replace("-", "_")
    information = f"{stem}-{version}.dist-info"
    metadata = metadata_text(name, version, requires, extras, requires_python)
    content = {
        **({f"{stem}.py": f"version = {version!r}\n".encode()} if files is None else files),
        f"{information}/METADATA": metadata,
        f"{information}/WHEEL": f"Wheel-Version: 1.0\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{path},,\n" for path in [*content, f"{information}/RECORD"])
    content[f"{information}/RECORD"] = record.encode()
    return MadeWheel(f"{stem}-{version}-{tag}.whl", zipped(content), metadata)


def metadata_text(
    name: str,
    version: str,
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
    requires_python: str | None = None,
) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {one}" for one in requires]
    return ("\n".join(lines) + "\n").encode()


def zipped(content: Mapping[str, bytes]) -> bytes:
    """A zip archive of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in content.items():
            archive.writestr(path, data)
    return out.getvalue()


def hostile_wheel(add: Mapping[str, bytes], *, link: str | None = None) -> MadeWheel:
    """A wheel with these members beside its own; `link`: one that is a symbolic link."""
    sound = make_wheel("evil")
    out = io.BytesIO(sound.data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        for path, data in add.items():
            archive.writestr(path, data)
        if link is not None:
            member = zipfile.ZipInfo(link)
            member.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(member, "/etc/passwd")
    return MadeWheel(sound.filename, out.getvalue(), sound.metadata)


def lying_about_size(declared: int) -> MadeWheel:
    """A wheel of which one member says that it is smaller than it unpacks to."""
    sound = hostile_wheel({"evil/zeros.bin": bytes(2**20)})
    data = bytearray(sound.data)
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = data.rfind(signature, 0, data.rfind(b"evil/zeros.bin") if offset == 24 else None)
        while data[at : at + 4] == signature and b"zeros.bin" not in data[at : at + 80]:
            at = data.rfind(signature, 0, at)
        data[at + offset : at + offset + 4] = declared.to_bytes(4, "little")
    return MadeWheel(sound.filename, bytes(data), sound.metadata)


def side_module(node: Path) -> bytes:
    """The shared library of an extension module `tiny`, assembled now."""
    folder = Path(__file__).parent
    command = [node, folder / "side_module.mjs", folder / "side_module.wat"]
    module = subprocess.run(command, capture_output=True, check=True).stdout
    # What a dynamic linker has to know comes first: 128 bytes of memory, no table.
    name = b"\x08dylink.0"
    content = name + b"\x01\x05\x80\x01\x02\x00\x00"
    return module[:8] + b"\x00" + bytes([len(content)]) + content + module[8:]
