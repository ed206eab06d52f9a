"""Packages from an index and a folder: found, fetched, checked, kept; and an index that lies."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.support.package_index import PackageIndex
from tests.support.wheels import hostile_wheel, make_wheel
from watchglass_server import package_index, packages, wheels
from watchglass_server.config import Config
from watchglass_server.errors import SetupError
from watchglass_server.package_policy import Permission
from watchglass_server.packages import Asked, InstallFailed, Packages
from watchglass_server.pictures import Package
from watchglass_server.pip_command import PipCommand

Folders = dict[str, Path]


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with PackageIndex() as started:
        yield started


@pytest.fixture
async def offered(index: PackageIndex, tmp_path: Path) -> AsyncIterator[Packages]:
    """Packages that come from the loopback index."""
    found = Packages(Config(cache_dir=tmp_path / "cache", package_index=index.url))
    await found.open()
    yield found
    await found.close()


async def install(
    offered: Packages,
    *requirements: str,
    installed: Sequence[Package] = (),
    permission: Permission = Permission(index=True, folder=True),  # noqa: B008 - frozen
    lines: list[str] | None = None,
    **options: Any,
) -> list[Package]:
    wanted = tuple(Requirement(one) for one in requirements)
    asked = Asked(PipCommand("install", wanted, **options), permission, installed)
    return await offered.install(asked, (lines if lines is not None else []).append)


async def why(offered: Packages, *requirements: str, **options: Any) -> str:
    with pytest.raises(InstallFailed) as caught:
        await install(offered, *requirements, **options)
    return str(caught.value)


async def test_a_package_comes_with_what_it_needs_and_its_bytes_are_those_of_its_hash(
    index: PackageIndex, offered: Packages
) -> None:
    index.add(make_wheel("a", requires=["b"]))
    b = make_wheel("b", "2.0")
    index.add(b)
    lines: list[str] = []
    found = await install(offered, "a", lines=lines)
    assert sorted(f"{one.name} {one.version}" for one in found) == ["a 1.0", "b 2.0"]
    (package,) = [one for one in found if one.name == "b"]
    assert (package.sha256, await offered.wheel(package)) == (b.sha256, b.data)
    assert lines[:2] == ["Collecting a", "Collecting b"]
    assert f"Downloading b-2.0-py3-none-any.whl ({len(b.data)} bytes)" in lines


async def test_metadata_is_read_without_its_wheel_where_the_index_has_it(
    index: PackageIndex, offered: Packages
) -> None:
    index.add(make_wheel("a", "2.0", requires=["c>9"]))
    index.add(make_wheel("a", "1.0"))
    index.add(make_wheel("c"))
    await install(offered, "a")
    assert "/files/a-2.0-py3-none-any.whl.metadata" in index.asked
    assert "/files/a-2.0-py3-none-any.whl" not in index.asked


@pytest.mark.parametrize("html", [False, True])
async def test_an_index_without_metadata_and_one_that_speaks_html_do_as_well(
    tmp_path: Path, html: bool
) -> None:
    with PackageIndex(html=html, with_metadata=False) as index:
        index.add(make_wheel("a", requires=["b"]), **{"requires-python": ">=3.9"})
        index.add(make_wheel("a", "3.0"), **{"requires-python": "<3"})
        index.add(make_wheel("a", "2.0"), yanked=True)
        index.add(make_wheel("b"))
        offered = Packages(Config(cache_dir=tmp_path / "cache", package_index=index.url))
        found = await install(offered, "a")
        await offered.close()
    assert sorted(f"{one.name} {one.version}" for one in found) == ["a 1.0", "b 1.0"]


async def test_what_is_in_the_cache_is_not_fetched_again(
    index: PackageIndex, offered: Packages
) -> None:
    index.add(make_wheel("a"))
    await install(offered, "a")
    index.asked.clear()
    lines: list[str] = []
    await install(offered, "a", lines=lines)
    assert index.asked == []
    assert lines == ["Collecting a", "Using cached a-1.0-py3-none-any.whl"]


async def test_what_the_session_has_stays_unless_an_upgrade_is_asked_for(
    index: PackageIndex, offered: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add(make_wheel("a", "1.0"))
    had = await install(offered, "a")
    index.add(make_wheel("a", "2.0"))
    monkeypatch.setattr(package_index, "PAGE_KEPT_S", 0.0)
    lines: list[str] = []
    assert await install(offered, "a", installed=had, lines=lines) == []
    assert lines[-1] == "Requirement already satisfied: a 1.0"
    (newer,) = await install(offered, "a", installed=had, upgrade=True)
    assert newer.version == "2.0"


async def test_what_the_session_has_is_satisfied_without_the_index(
    index: PackageIndex, offered: Packages, tmp_path: Path
) -> None:
    index.add(make_wheel("a"))
    had = await install(offered, "a")
    config = Config(cache_dir=tmp_path / "cache", package_index="http://127.0.0.1:9/simple")
    alone = Packages(config)
    assert await install(alone, "a", installed=had) == []
    assert "The index 127.0.0.1 does not give the page of b" in await why(alone, "b")
    await alone.close()


# --- lies


async def test_a_wheel_with_another_hash_is_not_used(
    index: PackageIndex, offered: Packages, tmp_path: Path
) -> None:
    index.add(make_wheel("a"), hashes={"sha256": hashlib.sha256(b"other").hexdigest()})
    assert "a-1.0-py3-none-any.whl does not have the hash" in await why(offered, "a")
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


async def test_metadata_with_another_hash_is_not_used(
    index: PackageIndex, offered: Packages
) -> None:
    index.add(make_wheel("a"), **{"core-metadata": {"sha256": "1" * 64}})
    assert "The metadata of a-1.0-py3-none-any.whl does not have the hash" in await why(
        offered, "a"
    )


async def test_metadata_that_is_not_that_of_the_wheel_is_found_out(
    index: PackageIndex, offered: Packages
) -> None:
    other = make_wheel("a", requires=["b"]).metadata
    index.add(make_wheel("a"), **{"core-metadata": {"sha256": hashlib.sha256(other).hexdigest()}})
    index.bodies["/files/a-1.0-py3-none-any.whl.metadata"] = other
    index.add(make_wheel("b"))
    assert "holds other metadata than the index tells" in await why(offered, "a")


async def test_a_page_whose_files_are_of_another_project_has_none(
    index: PackageIndex, offered: Packages
) -> None:
    index.add(make_wheel("evil"))
    index.files["good"] = index.files["evil"]
    assert "There is no package 'good'" in await why(offered, "good")


async def test_a_wheel_that_is_another_package_inside_is_refused(
    index: PackageIndex, offered: Packages
) -> None:
    evil = make_wheel("evil")
    index.add(evil)
    index.files["good"] = [
        {**index.files["evil"][0], "filename": "good-1.0-py3-none-any.whl"},
    ]
    assert "says that it is evil 1.0" in await why(offered, "good")


async def test_a_hostile_archive_is_refused_and_not_kept(
    index: PackageIndex, offered: Packages, tmp_path: Path
) -> None:
    index.add(hostile_wheel({"../../out.py": b"x"}))
    assert "leads out of the folder" in await why(offered, "evil")
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


@pytest.mark.parametrize(
    "page",
    [
        {"files": 3},
        {"name": "a"},
        {"name": "a", "files": [{"filename": "a" * 501, "url": ""}]},
        {"name": "a", "files": [{"filename": 1, "url": ""}]},
    ],
)
async def test_a_page_that_cannot_be_is_told(
    index: PackageIndex, offered: Packages, page: dict[str, Any]
) -> None:
    index.add(make_wheel("a"))
    index.page = lambda _name, _page: page
    assert "The index's page of a cannot be read" in await why(offered, "a")


# --- places


@pytest.mark.parametrize(
    "place",
    [
        "http://localhost:{port}/files",
        "http://127.0.0.1:9",
        "https://127.0.0.1:9",
        "https://localhost",
        "https://localhost.",
        "https://127.1",
        "https://0x7f.1",
        "https://2130706433",
        "https://[::ffff:127.0.0.1]",
        "https://169.254.169.254",
        "https://[::1]",
        "https://10.0.0.1",
        "http://example.org",
        "file:///etc",
        "ftp://127.0.0.1",
    ],
)
@pytest.mark.parametrize("way", ["link", "redirect"])
async def test_nothing_is_fetched_from_the_neighbours_of_the_server(
    index: PackageIndex, offered: Packages, place: str, way: str
) -> None:
    wheel = make_wheel("a")
    target = f"{place.format(port=index.port)}/{wheel.filename}"
    if way == "link":
        index.add(wheel, url=target, **{"core-metadata": False})
    else:
        index.add(wheel, **{"core-metadata": False})
        index.redirects[f"/files/{wheel.filename}"] = target
    assert "where nothing is fetched from" in await why(offered, "a")


async def test_a_redirect_inside_of_the_index_is_followed_but_not_for_ever(
    index: PackageIndex, offered: Packages
) -> None:
    wheel = make_wheel("a")
    index.add(wheel)
    index.bodies["/elsewhere"] = wheel.data
    index.redirects[f"/files/{wheel.filename}"] = "/elsewhere"
    assert len(await install(offered, "a")) == 1
    index.add(make_wheel("b"))
    index.redirects["/simple/b/"] = "/simple/b/"
    assert "redirected more than" in await why(offered, "b")


async def test_the_password_of_the_index_goes_to_the_index_only(
    index: PackageIndex, tmp_path: Path
) -> None:
    index.add(make_wheel("a"))
    url = index.url.replace("http://", "http://ada:secret@")
    offered = Packages(Config(cache_dir=tmp_path / "cache", package_index=url))
    await install(offered, "a")
    assert all(one["Authorization"].startswith("Basic ") for one in index.headers)
    assert "secret" not in await why(offered, "nope")
    await offered.close()


# --- limits


async def test_an_index_that_is_silent_is_given_up(
    index: PackageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_index, "ANSWER_S", 0.3)
    index.add(make_wheel("a"))
    index.delay_s = 1.0
    offered = Packages(Config(cache_dir=tmp_path / "cache", package_index=index.url))
    assert "took too long over the page of a" in await why(offered, "a")
    await offered.close()


async def test_all_together_has_a_limit_of_time(
    index: PackageIndex, offered: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "INSTALL_S", 0.3)
    index.add(make_wheel("a"))
    index.delay_s = 1.0
    assert "This took longer than 0.3 s and was given up" in await why(offered, "a")


async def test_what_is_too_large_is_not_read_to_its_end(
    index: PackageIndex, offered: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_index, "MAX_WHEEL_BYTES", 10_000)
    monkeypatch.setattr(package_index, "MAX_PAGE_BYTES", 10_000)
    noise = hashlib.shake_128(b"noise").digest(30_000)
    index.add(make_wheel("a", files={"a.py": b"", "noise": noise}))
    assert "has more than 10,000 bytes" in await why(offered, "a")
    index.files["a"][0]["size"] = 5
    index.files["b"] = index.files["a"] * 100
    assert "The page of b has more than 10,000 bytes" in await why(offered, "b")


async def test_a_size_that_is_a_lie_changes_nothing(
    index: PackageIndex, offered: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_index, "MAX_WHEEL_BYTES", 10_000)
    noise = hashlib.shake_128(b"noise").digest(30_000)
    index.add(make_wheel("a", files={"noise": noise}), size=5)
    assert "has more than 10,000 bytes" in await why(offered, "a")


async def test_a_session_holds_so_much_and_no_more(
    index: PackageIndex, offered: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "MAX_UNPACKED_BYTES", 3000)
    index.add(make_wheel("a", files={"a.py": bytes(2000)}))
    index.add(make_wheel("b", files={"b.py": bytes(2000)}))
    had = await install(offered, "a")
    assert "at most 3.0 kB fit" in await why(offered, "b", installed=had)


async def test_the_server_stays_responsive_while_it_searches(
    index: PackageIndex, offered: Packages
) -> None:
    for place in range(8):
        for version in range(30):
            needs = [f"m{place + 1}<{version}"] if place < 7 else []
            index.add(make_wheel(f"m{place}", f"{version}.0", requires=needs))
    slowest, before = 0.0, asyncio.get_running_loop().time()
    search = asyncio.create_task(install(offered, "m0"))
    while not search.done():
        await asyncio.sleep(0.005)
        now = asyncio.get_running_loop().time()
        slowest, before = max(slowest, now - before), now
    assert len(search.result()) == 8
    assert slowest < 0.5


# --- the folder


def folder_of(tmp_path: Path, *names: str) -> Path:
    folder = tmp_path / "wheels"
    for name in names:
        make_wheel(name).put(folder)
    return folder


FOLDER_ONLY = Permission(index=False, folder=True, why_not="Ask the owner.")


async def test_wheels_of_the_folder_need_no_index(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "b")
    make_wheel("a", requires=["b"]).put(folder)
    offered = Packages(Config(cache_dir=tmp_path / "cache", wheel_dir=folder))
    await offered.open()
    found = await install(offered, "a", permission=FOLDER_ONLY)
    assert sorted(one.name for one in found) == ["a", "b"]
    assert offered.policy.modules == {"a": "a", "b": "b"}
    assert "It is not in the folder of --wheel-dir" in await why(
        offered, "c", permission=FOLDER_ONLY
    )
    assert (await why(offered, "c", permission=FOLDER_ONLY)).endswith("Ask the owner.")


async def test_a_wheel_that_is_put_there_later_is_found(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "a")
    offered = Packages(Config(cache_dir=tmp_path / "cache", wheel_dir=folder))
    await offered.open()
    make_wheel("late").put(folder)
    assert len(await install(offered, "late", permission=FOLDER_ONLY)) == 1


async def test_the_folder_comes_before_the_index(index: PackageIndex, tmp_path: Path) -> None:
    own = make_wheel("a", files={"a.py": b"own = True\n"})
    own.put(tmp_path / "wheels")
    index.add(make_wheel("a"))
    config = Config(
        cache_dir=tmp_path / "cache", wheel_dir=tmp_path / "wheels", package_index=index.url
    )
    offered = Packages(config)
    (found,) = await install(offered, "a")
    assert found.sha256 == own.sha256
    await offered.close()


async def test_files_of_the_folder_that_cannot_be_used_are_named_with_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = folder_of(tmp_path, "good")
    hostile_wheel({"../x": b""}).put(folder)
    make_wheel("native", tag="cp314-cp314-win_amd64").put(folder)
    make_wheel("old", requires_python="<3.9").put(folder)
    (folder / "nonsense.whl").write_bytes(b"")
    (folder / "link-1.0-py3-none-any.whl").symlink_to("/etc/passwd")
    (folder / "dir-1.0-py3-none-any.whl").mkdir()
    (folder / "notes.txt").write_text("not a wheel")
    offered = Packages(Config(cache_dir=tmp_path / "cache", wheel_dir=folder))
    await offered.open()
    told = "\n".join(caplog.messages)
    for part in (
        "evil-1.0-py3-none-any.whl of --wheel-dir is not for sessions: it holds '../x'",
        "native-1.0-cp314-cp314-win_amd64.whl of --wheel-dir is not for sessions: it does not run",
        "old-1.0-py3-none-any.whl of --wheel-dir is not for sessions: it asks for Python <3.9",
        "nonsense.whl of --wheel-dir is not for sessions: it has a name",
        "link-1.0-py3-none-any.whl of --wheel-dir is not for sessions: it is a link",
        "dir-1.0-py3-none-any.whl of --wheel-dir is not for sessions: it is a link or no ordinary",
    ):
        assert part in told
    assert list(offered.policy.modules) == ["good"]


async def test_a_folder_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    offered = Packages(Config(cache_dir=tmp_path, wheel_dir=tmp_path / "nowhere"))
    with pytest.raises(SetupError, match="there is no such folder; make it first"):
        await offered.open()


# --- later


async def test_a_wheel_that_left_the_cache_is_fetched_again_by_its_hash(
    index: PackageIndex, offered: Packages
) -> None:
    wheel = make_wheel("a")
    index.add(wheel)
    (package,) = await install(offered, "a")
    offered.cache.forget(package.sha256)
    assert await offered.wheel(package) == wheel.data


async def test_a_wheel_that_changed_in_the_cache_is_not_handed_out(
    index: PackageIndex, offered: Packages
) -> None:
    wheel = make_wheel("a")
    index.add(wheel)
    (package,) = await install(offered, "a")
    path = offered.cache.find(package.sha256)
    assert path is not None
    path.write_bytes(b"changed")
    assert await offered.wheel(package) == wheel.data


async def test_a_wheel_that_is_nowhere_any_more_is_told_with_why(
    index: PackageIndex, offered: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add(make_wheel("a"))
    (package,) = await install(offered, "a")
    offered.cache.forget(package.sha256)
    index.files["a"] = []
    monkeypatch.setattr(package_index, "PAGE_KEPT_S", 0.0)
    with pytest.raises(InstallFailed, match="no longer in the cache, nor at the index"):
        await offered.wheel(package)


async def test_where_nothing_may_be_fetched_what_left_the_cache_is_missing(
    index: PackageIndex, offered: Packages, tmp_path: Path
) -> None:
    index.add(make_wheel("a"))
    (package,) = await install(offered, "a")
    offered.cache.forget(package.sha256)
    index.asked.clear()
    off = Packages(Config(cache_dir=tmp_path / "cache", package_index=index.url, packages="off"))
    with pytest.raises(InstallFailed, match="and --packages is off"):
        await off.wheel(package)
    assert index.asked == []


def test_limits_are_those_of_the_documents() -> None:
    assert wheels.MAX_WHEEL_BYTES == 64 * 2**20
    assert wheels.MAX_UNPACKED_BYTES == 256 * 2**20
    assert wheels.MAX_FILES == 20_000
