"""Tests of image.py with the fake host: built once, kept whole, thrown away in time."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.support.fake_host import fake_config
from watchglass_server.errors import ImageError
from watchglass_server.image import default_cache_dir, ensure_image
from watchglass_server.process_config import ProcessConfig


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder with what an image is made of."""
    folder = tmp_path / "sources"
    for name in ("package.json", "src/main.mjs", "watchglass_monitor/kernel.py"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name} as it was first")
    return folder


def config_of(sources: Path, *flags: str) -> ProcessConfig:
    return fake_config(*flags, folder=sources)


async def built(config: ProcessConfig, cache: Path) -> tuple[Path, list[str]]:
    lines: list[str] = []
    return await ensure_image(config, cache, on_progress=lines.append), lines


async def test_an_image_is_built_once(sources: Path, tmp_path: Path) -> None:
    image, lines = await built(config_of(sources), tmp_path / "cache")
    assert image.read_bytes().startswith(b"image ")
    assert lines == ["building the base image, about 2 s"]
    assert await built(config_of(sources), tmp_path / "cache") == (image, [])


@pytest.mark.parametrize("name", ["package.json", "src/main.mjs", "watchglass_monitor/kernel.py"])
async def test_a_changed_source_makes_another_image(
    sources: Path, tmp_path: Path, name: str
) -> None:
    first, _ = await built(config_of(sources), tmp_path)
    (sources / name).write_text("changed")
    assert await ensure_image(config_of(sources), tmp_path) != first


async def test_other_flags_make_another_image(sources: Path, tmp_path: Path) -> None:
    first, _ = await built(config_of(sources), tmp_path)
    assert await ensure_image(config_of(sources, "--other"), tmp_path) != first


async def test_caches_of_python_do_not_count_as_sources(sources: Path, tmp_path: Path) -> None:
    first, _ = await built(config_of(sources), tmp_path)
    (sources / "watchglass_monitor" / "__pycache__").mkdir()
    (sources / "watchglass_monitor" / "__pycache__" / "kernel.pyc").write_bytes(b"x")
    assert await ensure_image(config_of(sources), tmp_path) == first


@pytest.mark.parametrize("damage", ["cut", "changed", "no sum", "gone"])
async def test_a_broken_image_is_built_again(sources: Path, tmp_path: Path, damage: str) -> None:
    image, _ = await built(config_of(sources), tmp_path)
    whole = image.read_bytes()
    match damage:
        case "cut":
            image.write_bytes(whole[:-1])
        case "changed":
            image.write_bytes(b"I" + whole[1:])
        case "no sum":
            image.with_suffix(".sha256").unlink()
        case "gone":
            image.unlink()
    again, lines = await built(config_of(sources), tmp_path)
    assert (again, again.read_bytes(), len(lines)) == (image, whole, 1)


async def test_two_who_need_it_at_once_build_one(sources: Path, tmp_path: Path) -> None:
    config = config_of(sources)
    outcomes = await asyncio.gather(*(built(config, tmp_path) for _ in range(4)))
    assert len({image for image, _ in outcomes}) == 1
    assert sum(len(lines) for _, lines in outcomes) == 1


@pytest.mark.parametrize(
    ("flag", "words"), [("--no-image", "an image cannot be made here"), ("--empty-image", "doctor")]
)
async def test_a_build_that_fails_says_why_and_leaves_nothing(
    sources: Path, tmp_path: Path, flag: str, words: str
) -> None:
    with pytest.raises(ImageError, match=words):
        await ensure_image(config_of(sources, flag), tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache" / "images").iterdir()] == ["lock"]


async def test_images_of_other_keys_are_thrown_away_but_three(
    sources: Path, tmp_path: Path
) -> None:
    images = []
    for number in range(5):
        (sources / "package.json").write_text(str(number))
        image = await ensure_image(config_of(sources), tmp_path)
        used = time.time() - 100 + number
        os.utime(image, (used, used))
        images.append(image)
    assert [image.exists() for image in images] == [False, False, True, True, True]
    assert [image.with_suffix(".sha256").exists() for image in images] == [
        image.exists() for image in images
    ]


async def test_a_cache_that_cannot_be_written_names_the_setting(
    sources: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ImageError, match="set WATCHGLASS_CACHE_DIR"):
        await ensure_image(config_of(sources), tmp_path / "file")


def test_the_cache_directory_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WATCHGLASS_CACHE_DIR", str(tmp_path))
    assert default_cache_dir() == tmp_path
    monkeypatch.delenv("WATCHGLASS_CACHE_DIR")
    assert default_cache_dir().name == "watchglass"
