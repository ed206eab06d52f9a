"""Puts jupyter_server and ipykernel into .bench/, as pinned in requirements.txt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.contender import BenchFailed

VENV = Path(__file__).parents[1] / ".bench"
PINS = Path(__file__).with_name("requirements.txt")


def install() -> None:
    """Once for each state of the list."""
    done = VENV / "installed.txt"
    if done.exists() and done.read_bytes() == PINS.read_bytes():
        return
    print("installing jupyter_server and ipykernel into .bench/, once", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = (VENV / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    if subprocess.run([*pip, "--require-hashes", "-r", PINS], check=False).returncode:
        raise BenchFailed("pip installed nothing (see above); it needs PyPI, the first time only")
    done.write_bytes(PINS.read_bytes())


def versions() -> str:
    listing = (
        "from importlib.metadata import version as v;"
        "print(f\"jupyter_server {v('jupyter_server')}, ipykernel {v('ipykernel')}\")"
    )
    asked = [str(VENV / "bin/python"), "-c", listing]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
