"""`pip install .` from a checkout with nothing built: the wheel holds all that a session needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.client import Client
from tests.support.serving import Serving

ROOT = Path(__file__).parents[2]
NOT_CLONED = shutil.ignore_patterns(
    *(".git", ".venv", ".bench", "node_modules", "dist", "build", "__pycache__", ".*_cache")
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by pip in isolation, from a copy that has what a fresh clone has."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "clone", ignore=NOT_CLONED)
    pip(Path(sys.executable), "wheel", "--no-deps", "-w", str(folder), str(folder / "clone"))
    (built,) = folder.glob("watchglass-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `watchglass` command of an environment with this wheel and what it asks for."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip(venv / "bin/python", "install", str(wheel))
    return venv / "bin/watchglass"


@pytest.fixture
def wheel_server(installed: Path, tmp_path: Path) -> Iterator[Serving]:
    """With an empty home, nothing of a checkout on its way, and a network that answers nothing."""
    nowhere = "http://127.0.0.1:9"
    alone = {
        "PATH": str(tmp_path),
        "http_proxy": nowhere,
        "https_proxy": nowhere,
        "npm_config_registry": nowhere,
    }
    with Serving(tmp_path, command=str(installed), environment=alone) as serving:
        yield serving


def test_the_wheel_holds_host_pyodide_and_page_and_nothing_of_the_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = "watchglass_server/_node_host"
    assert {
        f"{inside}/src/main.mjs",
        f"{inside}/native/dict_watcher.wasm",
        f"{inside}/native/fingerprint.wasm",
        f"{inside}/package.json",
        f"{inside}/node_modules/pyodide/pyodide.asm.wasm",
        f"{inside}/node_modules/pyodide/python_stdlib.zip",
        "watchglass_server/_probes/files/fs_sync.py",
        "watchglass_server/_web/index.html",
        "watchglass_monitor/__init__.py",
        "watchglass_jail/confine.py",
        "watchglass_jail/zygote.py",
        "watchglass_sync/journal.py",
        "spacetimedb_client/module/generic.wasm",
    } <= names
    folders = {name.split("/")[0] for name in names}
    assert {f for f in folders if not f.endswith(".dist-info")} == {
        "spacetimedb_bsatn",
        "spacetimedb_client",
        "watchglass_jail",
        "watchglass_monitor",
        "watchglass_server",
        "watchglass_sync",
    }
    modules = {
        name.split("node_modules/")[1].split("/")[0] for name in names if "_modules/" in name
    }
    assert modules == {"pyodide", "ws"}, "only what runs, no tools"
    assert not [name for name in names if "/test/" in name]
    native = {Path(name).suffix for name in names if f"{inside}/native/" in name}
    assert native == {".wasm"}, "what is built, not its sources"


async def test_a_session_runs_from_the_installed_wheel(wheel_server: Serving) -> None:
    async with Client(wheel_server.url, wheel_server.token) as client:
        session = await client.create()
        ran = await client.run(session, "import sys\nprint(sys.platform)\n6 * 7")
        assert (ran.stdout, ran.result) == ("emscripten\n", "42")
        assert client.log(session).variables.keys() >= {"sys"}
    assert "isolation strict: each session is held by" in wheel_server.words()


async def test_the_installed_wheel_serves_the_page_whole(wheel_server: Serving) -> None:
    async with aiohttp.ClientSession(wheel_server.url) as http:
        async with http.get("/") as answer:
            page = await answer.text()
        assert '<script type="module"' in page
        parts = [part.split('"')[0] for part in page.replace('href="', 'src="').split('src="')[1:]]
        assert parts
        for part in (p for p in parts if not p.startswith("data:")):
            async with http.get("/" + part.removeprefix(".").lstrip("/")) as answer:
                assert answer.status == 200, part


def test_the_installed_command_tells_its_version(installed: Path) -> None:
    done = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "0.1.0"


def pip(python: Path, *arguments: str) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    command = [str(python), "-m", "pip", arguments[0], *quiet, *arguments[1:]]
    done = subprocess.run(
        command, env={**os.environ}, capture_output=True, text=True, check=False, cwd=python.parent
    )
    assert done.returncode == 0, done.stdout + done.stderr
