"""The Python inside of a session, as far as packages are chosen for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags

# Pyodide is pinned, and so is this; tests/server/test_packages_in_node.py asks the real one.
PYTHON: Final = "3.14.2"
PLATFORM: Final = "pyemscripten_2026_0_wasm32"
RUNS_HERE: Final = f"pure Python (py3-none-any) or tagged {PLATFORM}"

ENVIRONMENT: Final[Mapping[str, str]] = {
    "implementation_name": "cpython",
    "implementation_version": PYTHON,
    "os_name": "posix",
    "platform_machine": "wasm32",
    "platform_python_implementation": "CPython",
    "platform_release": "5.0.3",
    "platform_system": "Emscripten",
    "platform_version": "#1",
    "python_full_version": PYTHON,
    "python_version": "3.14",
    "sys_platform": "emscripten",
}


def _tags() -> dict[Tag, int]:
    binary = cpython_tags((3, 14), abis=["cp314"], platforms=[PLATFORM])
    pure = compatible_tags((3, 14), interpreter="cp314", platforms=[PLATFORM])
    return {tag: place for place, tag in enumerate([*binary, *pure])}


TAGS: Final[Mapping[Tag, int]] = _tags()  # the best first


def rank(tags: frozenset[Tag]) -> int | None:
    """How well a wheel of these tags suits, 0 best; None: it does not run in a session."""
    return min((TAGS[tag] for tag in tags if tag in TAGS), default=None)


def is_for_this_python(requires_python: SpecifierSet | None) -> bool:
    """Whether a `Requires-Python` lets this one in."""
    return requires_python is None or requires_python.contains(PYTHON, prereleases=True)
