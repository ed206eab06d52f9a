"""Tests of assets.py: what is found in this checkout, and what is said when it is not there."""

import json
from pathlib import Path

import pytest

from watchglass_server.assets import find_assets, find_probes
from watchglass_server.errors import AssetsError

PYODIDE = ("package.json", "pyodide.mjs", "pyodide.asm.wasm", "python_stdlib.zip")


def installed(root: Path, host: str) -> Path:
    """Lay out an installation and return the folder of its package."""
    package = root / "server" / "watchglass_server"
    host_dir = root / host
    for name in PYODIDE:
        path = host_dir / "node_modules" / "pyodide" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    package.mkdir(parents=True, exist_ok=True)
    settings = {"watchglass": {"node_flags": ["--a", "--b={host_dir}"], "image_flags": ["--c"]}}
    (host_dir / "package.json").write_text(json.dumps(settings))
    return package


def test_a_checkout_has_its_parts_beside_each_other(tmp_path: Path) -> None:
    package = installed(tmp_path, "node_host")
    assets = find_assets(package, {})
    assert assets.host_dir == tmp_path / "node_host"
    assert assets.pyodide_dir == tmp_path / "node_host" / "node_modules" / "pyodide"
    assert assets.node_flags == ("--a", "--b={host_dir}")
    assert assets.image_flags == ("--c",)
    assert (assets.monitor_dir / "watchglass_monitor" / "__init__.py").is_file()
    assert assets.node.name == "node"
    assert assets.web_dir is None


def test_a_wheel_has_its_parts_inside_the_package(tmp_path: Path) -> None:
    package = installed(tmp_path, "server/watchglass_server/_node_host")
    (package / "_web").mkdir()
    (package / "_web" / "index.html").write_text("")
    assets = find_assets(package, {})
    assert assets.host_dir == package / "_node_host"
    assert assets.web_dir == package / "_web"


def test_the_page_of_a_checkout_is_found_once_it_is_built(tmp_path: Path) -> None:
    package = installed(tmp_path, "node_host")
    (tmp_path / "web" / "dist").mkdir(parents=True)
    (tmp_path / "web" / "dist" / "index.html").write_text("")
    assert find_assets(package, {}).web_dir == tmp_path / "web" / "dist"


def test_another_node_can_be_named(tmp_path: Path) -> None:
    node = tmp_path / "mynode"
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    package = installed(tmp_path, "node_host")
    assert find_assets(package, {"WATCHGLASS_NODE": str(node)}).node == node


def test_a_named_node_that_is_none_is_told(tmp_path: Path) -> None:
    package = installed(tmp_path, "node_host")
    with pytest.raises(AssetsError, match=r"'/no/node'.*Set it to Node 24"):
        find_assets(package, {"WATCHGLASS_NODE": "/no/node"})


def test_pyodide_that_is_missing_names_the_command(tmp_path: Path) -> None:
    package = installed(tmp_path, "node_host")
    (tmp_path / "node_host" / "node_modules" / "pyodide" / "pyodide.asm.wasm").unlink()
    with pytest.raises(AssetsError, match=r"no pyodide\.asm\.wasm.*make install"):
        find_assets(package, {})


def test_a_checkout_without_its_host_says_so(tmp_path: Path) -> None:
    with pytest.raises(AssetsError, match="no node_host/"):
        find_assets(tmp_path / "server" / "watchglass_server", {})


@pytest.mark.parametrize("text", ["", "{}", '{"watchglass": {}}', '{"watchglass": 3}'])
def test_a_broken_package_file_is_told(tmp_path: Path, text: str) -> None:
    package = installed(tmp_path, "node_host")
    (tmp_path / "node_host" / "package.json").write_text(text)
    with pytest.raises(AssetsError, match=r"watchglass\.node_flags cannot be read"):
        find_assets(package, {})


def test_the_escape_probes_are_found_in_a_checkout_and_in_a_wheel(tmp_path: Path) -> None:
    package = installed(tmp_path, "node_host")
    with pytest.raises(AssetsError, match="install watchglass again"):
        find_probes(package)
    in_checkout = tmp_path / "tests" / "security" / "probes"
    in_checkout.mkdir(parents=True)
    assert find_probes(package) == in_checkout
    (package / "_probes").mkdir()
    assert find_probes(package) == package / "_probes"
