"""Puts npm's clients beside sdk_node/, and what ours needs beside other Pythons, into .bench/."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import hatch_build
from bench.contender import BenchFailed
from bench.progress import say

NODE_SIDE = Path(__file__).with_name("sdk_node")
PEERS = ("spacetimedb", "@clockworklabs/spacetimedb-sdk")
PINS = Path(__file__).with_name("sdk_requirements.txt")
VENVS = Path(__file__).parents[1] / ".bench"
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)\Z")
ASK_VERSION = "import platform; print(platform.python_implementation(), platform.python_version())"


def install_peers() -> None:
    """Once for each state of the lock file; the bindings are made JavaScript each time."""
    hatch_build.install_packages(NODE_SIDE)
    hatch_build.run_npm(NODE_SIDE, "run", "--silent", "build")


def node() -> str:
    return str(hatch_build.find_node()[0])


def node_version() -> str:
    told = subprocess.run([node(), "--version"], capture_output=True, text=True, check=True)
    return told.stdout.strip().removeprefix("v")


def peer_version(package: str) -> str:
    """As it is installed."""
    told = json.loads((NODE_SIDE / f"node_modules/{package}/package.json").read_text())
    return str(told["version"])


def pythons() -> dict[str, str]:
    """The program of each Python to measure, oldest first: .venv's, and newer ones found here."""
    found = newest_of_each(told_versions(programs()))
    ours = sys.version_info[:3]
    newer = {version: found[version] for version in sorted(found) if version[:2] > ours[:2]}
    installed = {dotted(version): with_packages(version, newer[version]) for version in newer}
    return {dotted(ours): sys.executable} | installed


def programs() -> Iterator[str]:
    """What may be a Python: in pyenv's folder, uv's folder, and PATH."""
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT", home / ".pyenv"))
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", home / ".local/share/uv/python"))
    for folder in (pyenv / "versions", uv):
        yield from map(str, folder.glob("*/bin/python3"))
    for minor in range(sys.version_info.minor + 1, sys.version_info.minor + 9):
        if path := shutil.which(f"python3.{minor}"):
            yield path


def told_versions(candidates: Iterable[str]) -> Iterator[tuple[tuple[int, ...], str]]:
    """Those that run, are CPython and no preview."""
    for program in candidates:
        asked = subprocess.run(
            [program, "-c", ASK_VERSION], capture_output=True, text=True, check=False
        )
        implementation, _, version = asked.stdout.strip().partition(" ")
        if implementation == "CPython" and (numbers := VERSION.match(version)):
            yield tuple(map(int, numbers.groups())), program


def newest_of_each(told: Iterable[tuple[tuple[int, ...], str]]) -> dict[tuple[int, ...], str]:
    """Of 3.12.1 and 3.12.4 the second, and so on."""
    newest: dict[tuple[int, ...], tuple[tuple[int, ...], str]] = {}
    for version, program in told:
        if version > newest.get(version[:2], ((), ""))[0]:
            newest[version[:2]] = version, program
    return dict(newest.values())


def dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))


def with_packages(version: tuple[int, ...], program: str) -> str:
    """A virtual environment of that Python; made once for each state of the list."""
    folder = VENVS / f"python-{dotted(version)}"
    inside, done = folder / "bin/python", folder / "installed.txt"
    if done.exists() and done.read_bytes() == PINS.read_bytes():
        return str(inside)
    say(f"installing aiohttp and msgspec into {folder.parent.name}/{folder.name}/, once")
    subprocess.run([program, "-m", "venv", "--clear", folder], check=True)
    pip = (str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    if subprocess.run([*pip, "--require-hashes", "-r", PINS], check=False).returncode:
        raise BenchFailed("pip installed nothing (see above); it needs PyPI, the first time only")
    done.write_bytes(PINS.read_bytes())
    return str(inside)
