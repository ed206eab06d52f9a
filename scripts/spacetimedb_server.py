"""Builds the SpacetimeDB server of tests and examples, once, into the user's cache directory."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs

PROGRAM = "spacetimedb-standalone"
VERSION = "1.2.0"  # the newest one that cargo can build from crates alone
NEEDED_CARGO = (1, 84)
BINARY = Path(platformdirs.user_cache_dir("watchglass")) / f"{PROGRAM}-{VERSION}"


def cargo_version() -> tuple[int, ...]:
    """Zeros where there is none."""
    if shutil.which("cargo") is None:
        return (0, 0)
    told = subprocess.run(["cargo", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)\.(\d+)", told.stdout)
    return tuple(map(int, found.groups())) if found else (0, 0)


def build() -> None:
    """The stripped program only: what it is made of takes 1.5 GB."""
    BINARY.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BINARY.parent) as folder:
        environment = os.environ | {"CARGO_TARGET_DIR": f"{folder}/target"}
        install = ["cargo", "install", PROGRAM, "--version", VERSION, "--locked", "--quiet"]
        subprocess.run([*install, "--root", folder], env=environment, check=True)
        built = Path(folder) / "bin" / PROGRAM
        if shutil.which("strip"):
            subprocess.run(["strip", built], check=True)
        built.replace(BINARY)


def main() -> int:
    if BINARY.exists():
        return 0
    if cargo_version() >= NEEDED_CARGO:
        print(f"building {PROGRAM} {VERSION}, once: about ten minutes", file=sys.stderr)
        build()
        return 0
    needed = ".".join(map(str, NEEDED_CARGO))
    words = f"no cargo {needed} or newer: no SpacetimeDB server is built, and its tests are skipped"
    print(words, file=sys.stderr)
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
