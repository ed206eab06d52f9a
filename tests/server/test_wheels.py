"""Wheels are looked through before a session gets them: limits, paths, links, lies."""

from __future__ import annotations

import struct
import time
import zipfile
from pathlib import Path

import pytest

from tests.support.wheels import (
    MadeWheel,
    hostile_wheel,
    lying_about_size,
    make_wheel,
    metadata_text,
    zipped,
)
from watchglass_server import wheels
from watchglass_server.wheels import WheelRefused, metadata_of, read_metadata, read_wheel


def read(wheel: MadeWheel, folder: Path) -> wheels.WheelContent:
    return read_wheel(wheel.put(folder), wheel.filename)


def test_a_sound_wheel_says_what_it_is(tmp_path: Path) -> None:
    files = {
        "units/__init__.py": b"",
        "units/data.txt": b"x" * 1000,
        "fast.cpython.so": b"",
        "a-b/c": b"",
    }
    made = make_wheel("Game.Units", "1.2", requires=["rich>=13"], extras=["ui"], files=files)
    content = read(MadeWheel("game_units-1.2-py3-none-any.whl", made.data), tmp_path)
    assert content.metadata.project == "game-units"
    assert [str(one) for one in content.metadata.requires] == ["rich>=13"]
    assert content.metadata.extras == {"ui"}
    assert content.modules == {"units", "fast"}
    assert content.unpacked_bytes > 1000
    assert metadata_of(tmp_path / "game_units-1.2-py3-none-any.whl") == made.metadata


@pytest.mark.parametrize(
    "path",
    [
        "../out.py",
        "/etc/passwd",
        "evil/../../out.py",
        "evil\\..\\out.py",
        "C:/windows/x",
        "evil/\x1b[31m.py",
        "evil/\u202egnp.py",
        "e" * 501,
    ],
)
def test_a_path_that_leads_out_or_is_none_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(WheelRefused, match=r"leads out of|by the name"):
        read(hostile_wheel({path: b"x"}), tmp_path)


def test_a_path_with_a_null_byte_is_refused(tmp_path: Path) -> None:
    data = hostile_wheel({"evil/Q.py": b"x"}).data.replace(b"evil/Q.py", b"evil/\0.py")
    with pytest.raises(WheelRefused, match="by the name"):
        read(MadeWheel("evil-1.0-py3-none-any.whl", data), tmp_path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WheelRefused, match="is a link or no ordinary file"):
        read(hostile_wheel({}, link="evil/passwd"), tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_path_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WheelRefused, match=r"holds 'evil\.py' twice"):
        read(hostile_wheel({"evil.py": b"x"}), tmp_path)


def test_a_bomb_is_refused_before_it_goes_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "MAX_UNPACKED_BYTES", 2**20)
    with pytest.raises(WheelRefused, match="unpacks to"):
        read(hostile_wheel({"evil/a": bytes(2**19), "evil/b": bytes(2**19)}), tmp_path)


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    lying = lying_about_size(10)
    with zipfile.ZipFile(lying.put(tmp_path)) as archive:
        assert archive.getinfo("evil/zeros.bin").file_size == 10
    with pytest.raises(WheelRefused, match="no sound zip archive"):
        read(lying, tmp_path)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "MAX_FILES", 5)
    with pytest.raises(WheelRefused, match="holds 9 files"):
        read(hostile_wheel({f"evil/{n}": b"" for n in range(5)}), tmp_path)


def test_a_list_of_a_million_members_is_not_even_read(tmp_path: Path) -> None:
    entry = b"PK\x01\x02" + bytes(42)
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 0, 0, 10**6 * len(entry), 0, 0)
    wheel = MadeWheel("a-1.0-py3-none-any.whl", entry * 10**6 + end)
    path = wheel.put(tmp_path)
    for look in (lambda: metadata_of(path), lambda: read_wheel(path, wheel.filename)):
        started = time.process_time()
        with pytest.raises(WheelRefused, match="about 1,000,000 files; at most 20,000"):
            look()
        assert time.process_time() - started < 1.0


def test_a_file_that_is_too_large_is_not_even_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "MAX_WHEEL_BYTES", 100)
    with pytest.raises(WheelRefused, match="at most 100 are taken"):
        read(make_wheel("a"), tmp_path)


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_wheel_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(WheelRefused, match=r"zip archive|METADATA"):
        read(MadeWheel("a-1.0-py3-none-any.whl", data), tmp_path)


def test_every_broken_byte_is_refused_or_read_and_never_worse(tmp_path: Path) -> None:
    sound = make_wheel("a").data
    for at in range(0, len(sound), 3):
        data = sound[:at] + struct.pack("B", sound[at] ^ 0xFF) + sound[at + 1 :]
        try:
            read(MadeWheel("a-1.0-py3-none-any.whl", data), tmp_path)
        except WheelRefused:
            continue


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    data = bytearray(make_wheel("a").data)
    at = data.rfind(b"PK\x01\x02")
    data[at + 8] |= 1
    with pytest.raises(WheelRefused, match=r"encrypted|zip archive"):
        read(MadeWheel("a-1.0-py3-none-any.whl", bytes(data)), tmp_path)


def test_a_wheel_that_is_another_one_inside_is_refused(tmp_path: Path) -> None:
    made = make_wheel("a", "1.0")
    with pytest.raises(WheelRefused, match=r"says inside that it is a 1\.0"):
        read(MadeWheel("b-1.0-py3-none-any.whl", made.data), tmp_path)


def test_a_wheel_has_one_metadata(tmp_path: Path) -> None:
    two = {"a-1.0.dist-info/METADATA": metadata_text("a", "1.0")}
    two["b-1.0.dist-info/METADATA"] = metadata_text("b", "1.0")
    with pytest.raises(WheelRefused, match="has 2 files METADATA"):
        read(MadeWheel("a-1.0-py3-none-any.whl", zipped(two)), tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"Name: a\n",
        b"Name: a\nVersion: x y\n",
        metadata_text("a", "1", ["not a requirement!"]),
        metadata_text("a", "1", requires_python="three"),
        metadata_text("a", "1", ["b"] * 2001),
        metadata_text("a", "1", ["b; " + "(" * 50_000]),
        metadata_text("a", "9" * 5000),
        metadata_text("a", "1", ["b==" + "9" * 5000]),
    ],
)
def test_metadata_that_cannot_be_read_is_refused(text: bytes) -> None:
    with pytest.raises(WheelRefused):
        read_metadata(text)
