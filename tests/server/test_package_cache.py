"""Wheels on disk: under their hash, the newest of them, and never a half one."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.wheels import make_wheel
from watchglass_server.package_cache import PackageCache, hash_of


def put(cache: PackageCache, data: bytes, used: float) -> str:
    with cache.incoming() as incoming:
        incoming.write_bytes(data)
        sha256 = hash_of(incoming)
        path = cache.keep(incoming, sha256)
    if path.exists():
        os.utime(path, (used, used))
    return sha256


def test_what_was_not_used_longest_goes_first(tmp_path: Path) -> None:
    cache = PackageCache(tmp_path, kept_bytes=250)
    first = put(cache, b"1" * 100, used=1)
    second = put(cache, b"2" * 100, used=2)
    assert cache.find(first)  # used just now
    third = put(cache, b"3" * 100, used=3)
    assert [bool(cache.read(one)) for one in (first, second, third)] == [True, False, True]


def test_a_wheel_that_was_not_kept_leaves_nothing(tmp_path: Path) -> None:
    cache = PackageCache(tmp_path)
    with cache.incoming() as incoming:
        incoming.write_bytes(b"half")
    assert list(cache.folder.iterdir()) == []


def test_a_file_is_taken_in_once(tmp_path: Path) -> None:
    cache = PackageCache(tmp_path / "cache")
    wheel = make_wheel("a")
    file = wheel.put(tmp_path)
    assert cache.adopt(file)[0] == cache.adopt(file)[0] == wheel.sha256
    assert cache.read(wheel.sha256) == wheel.data
    assert len(list(cache.folder.iterdir())) == 1


def test_what_a_server_left_half_written_goes_after_a_day(tmp_path: Path) -> None:
    cache = PackageCache(tmp_path)
    cache.folder.mkdir()
    old, young = cache.folder / ".incoming-old", cache.folder / ".incoming-young"
    old.touch()
    young.touch()
    os.utime(old, (1, 1))
    cache.prune()
    assert [path.name for path in cache.folder.iterdir()] == [".incoming-young"]


def test_the_cache_may_be_deleted_at_any_time(tmp_path: Path) -> None:
    cache = PackageCache(tmp_path / "cache")
    assert cache.find("0" * 64) is None
    assert cache.read("0" * 64) is None
    cache.prune()
    cache.forget("0" * 64)
