"""The base image: an interpreter with our kernel in it, written once and started from often."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Final

import platformdirs

from watchglass_server.child import run_to_end
from watchglass_server.errors import ImageError
from watchglass_server.process_config import ProcessConfig

__all__ = ["ImageError", "default_cache_dir", "ensure_image", "image_key"]

KEPT_IMAGES: Final = 3
BUILD_TIMEOUT_S: Final = 120.0
LOCK_TIMEOUT_S: Final = 180.0


def default_cache_dir() -> Path:
    """Return where images are kept: WATCHGLASS_CACHE_DIR, or the platform's cache directory."""
    named = os.environ.get("WATCHGLASS_CACHE_DIR")
    return Path(named) if named else Path(platformdirs.user_cache_dir("watchglass"))


async def ensure_image(
    config: ProcessConfig,
    cache_dir: Path | None = None,
    *,
    on_progress: Callable[[str], None] = lambda line: None,
) -> Path:
    """Return the base image for this configuration; build it when it is missing or broken.

    Raises ImageError, which says what to do. Two servers that start at once build one image.
    """
    folder = (cache_dir or default_cache_dir()).resolve() / "images"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        image = folder / f"{await image_key(config)}.image"
        async with _locked(folder / "lock"):
            if not await asyncio.to_thread(_is_whole, image):
                on_progress("building the base image, about 2 s")
                await _build(config, image)
            await asyncio.to_thread(_prune, folder, image)
    except OSError as error:
        raise ImageError(
            f"the base image cannot be kept in {folder}: {error}; "
            "set WATCHGLASS_CACHE_DIR to a directory that can be written"
        ) from error
    return image


async def image_key(config: ProcessConfig) -> str:
    """Return the name of the image that fits: of another key, an image does not start or lies."""
    node_version, sources = await asyncio.gather(
        _node_version(config.node), asyncio.to_thread(_sources_digest, config)
    )
    parts = (node_version, *config.node_flags, *config.image_flags, sources)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


async def _node_version(node: Path) -> str:
    exit_code, output = await run_to_end([str(node), "--version"], timeout=10)
    if exit_code != 0:
        raise ImageError(f"{node} --version failed: {output.strip() or exit_code}; install Node 24")
    return output.strip()


def _sources_digest(config: ProcessConfig) -> str:
    """Return a hash of all that goes into an image: Pyodide's release, the host and the kernel."""
    digest = hashlib.sha256((config.pyodide_dir / "package.json").read_bytes())
    ours = (config.host_dir / "src", config.host_dir / "native")
    for folder in (*ours, config.monitor_dir / "watchglass_monitor"):
        for path in sorted(_sources(folder)):
            digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterable[Path]:
    suffixes = (".py", ".mjs", ".js", ".json", ".wasm")
    return (path for path in folder.rglob("*") if path.suffix in suffixes)


async def _build(config: ProcessConfig, image: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="draft-", dir=image.parent) as folder:
        draft = Path(folder) / image.name
        # An absolute number of seconds: a build that hangs must not hold up every other server.
        exit_code, output = await run_to_end(
            config.image_command(draft),
            timeout=BUILD_TIMEOUT_S,
            launcher=config.launcher,
            reach=config.image_reach(draft.parent),
        )
        if exit_code != 0 or not draft.is_file() or not draft.stat().st_size:
            how = "was not done in time" if exit_code is None else f"ended with {exit_code}"
            raise ImageError(
                f"building the base image {how}: {output.strip()[-500:] or 'it said nothing'}; "
                "run `watchglass doctor` to see what this machine lacks"
            )
        await asyncio.to_thread(_publish, draft, image)


def _publish(draft: Path, image: Path) -> None:
    """Give the image its name last: whoever finds the name finds all of it."""
    _sum_path(image).write_text(_digest(draft))
    draft.chmod(0o644)  # a session's process may have a user of its own
    draft.replace(image)


def _is_whole(image: Path) -> bool:
    try:
        return _sum_path(image).read_text() == _digest(image)
    except OSError:
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sum_path(image: Path) -> Path:
    return image.with_suffix(".sha256")


def _prune(folder: Path, newest: Path) -> None:
    """Throw away all but the images used last: each is some 20 MB, and each edit makes one."""
    os.utime(newest)
    images = sorted(folder.glob("*.image"), key=lambda path: path.stat().st_mtime, reverse=True)
    for image in images[KEPT_IMAGES:]:
        image.unlink(missing_ok=True)
        _sum_path(image).unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    """Hold the lock file; the operating system lets go of it when its holder dies."""
    with path.open("w") as file:
        await _lock(file.fileno(), path)
        yield


async def _lock(descriptor: int, path: Path) -> None:
    try:
        async with asyncio.timeout(LOCK_TIMEOUT_S):
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                except BlockingIOError:
                    await asyncio.sleep(0.05)
    except TimeoutError:
        raise ImageError(
            f"another server has been building the base image for {LOCK_TIMEOUT_S:g} s; "
            f"end it, or delete {path}"
        ) from None
