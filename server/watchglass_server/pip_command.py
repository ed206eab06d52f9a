"""`%pip …` as people type it → what is wanted. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from watchglass_server.session_python import ENVIRONMENT

MAX_REQUIREMENTS = 50

# The same lines are calls for the kernel: monitor/watchglass_monitor/magics.py.
_TYPED = re.compile(
    r"[ \t]*(?:%{0,2}|!)[ \t]*(?:(?:\{?sys\.executable\}?|python[\d.]*)[ \t]+-m[ \t]+)?"
    r"pip[\d.]*[ \t]+(?P<words>\S.*)"
)
_QUIET = frozenset({"-q", "--quiet", "-qq", "-qqq"})
_UPGRADE = frozenset({"-U", "--upgrade"})
_YES = frozenset({"-y", "--yes"})
_WITHOUT_MEANING = frozenset(
    {
        *("--user", "--no-cache-dir", "--disable-pip-version-check", "--no-input"),
        *("--break-system-packages", "--prefer-binary", "--only-binary=:all:", "-v", "--verbose"),
        *("--no-warn-script-location", "--progress-bar=off"),
    }
)
_SERVER_DECIDES = ("-i", "--index-url", "--extra-index-url", "--find-links", "-f", "--no-index")
_FILES = ("-r", "--requirement", "-c", "--constraint", "-e", "--editable")


class PipRefused(Exception):
    """What was typed cannot be done; says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class PipCommand:
    """One line, understood."""

    verb: Literal["install", "uninstall"]
    requirements: tuple[Requirement, ...]
    upgrade: bool = False
    pre: bool = False
    quiet: bool = False
    dependencies: bool = True


def words_of(text: str) -> tuple[str, ...]:
    """The words of a line, as a shell would cut them, without a comment."""
    try:
        return tuple(shlex.split(text, comments=True))
    except ValueError:
        return tuple(text.split())


def typed_commands(code: str) -> Iterator[tuple[str, ...]]:
    """The words behind `pip` of each line of the code that may be such a command."""
    for line in code.split("\n"):
        if found := _TYPED.fullmatch(line.rstrip("\r")):
            yield words_of(found["words"])


def read_command(words: Sequence[str]) -> PipCommand:
    """Understand the words behind `pip`. Raises PipRefused."""
    verb = words[0] if words else ""
    if verb == "install":
        return _install(words[1:])
    if verb == "uninstall":
        names = tuple(_requirement(word) for word in words[1:] if word not in _YES | _QUIET)
        return PipCommand("uninstall", _some(names), quiet=bool(_QUIET & set(words)))
    raise PipRefused(
        f"There is no `%pip {verb}` here; there are `%pip install`, `%pip uninstall` and "
        "`%pip list`."
    )


def _install(words: Sequence[str]) -> PipCommand:
    given = set(words)
    wanted = [word for word in words if not word.startswith("-")]
    for word in words:
        if word.startswith("-"):
            _check_option(word)
    found = [_requirement(word) for word in wanted]
    return PipCommand(
        "install",
        _some(tuple(one for one in found if _applies(one))),
        upgrade=bool(_UPGRADE & given),
        pre="--pre" in given,
        quiet=bool(_QUIET & given),
        dependencies="--no-deps" not in given,
    )


def _check_option(word: str) -> None:
    name = word.partition("=")[0]
    if word in _QUIET | _UPGRADE | _WITHOUT_MEANING | {"--pre", "--no-deps"}:
        return
    if name in _SERVER_DECIDES:
        raise PipRefused(
            f"{name} is not for sessions: the server's operator says where packages come from "
            "(`watchglass serve --package-index URL --wheel-dir DIR`)."
        )
    if name in _FILES:
        raise PipRefused(f"{name} reads files, which sessions have none of: name the packages.")
    raise PipRefused(
        f"`%pip install` does not know {name} here; it knows -q, -U (--upgrade), --pre and "
        "--no-deps."
    )


def _some(requirements: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
    if not requirements:
        raise PipRefused("Say which package: `%pip install NAME`.")
    if len(requirements) > MAX_REQUIREMENTS:
        raise PipRefused(f"At most {MAX_REQUIREMENTS} packages at once: name fewer of them.")
    return requirements


def _requirement(word: str) -> Requirement:
    if "://" in word or word.startswith((".", "/", "~")) or word.endswith((".whl", ".tar.gz")):
        raise PipRefused(
            f"'{word}' is a file or an address; sessions install by name only. A wheel of your own "
            "belongs into the folder of `watchglass serve --wheel-dir DIR`."
        )
    try:
        found = Requirement(word)
    except (InvalidRequirement, RecursionError):
        raise PipRefused(
            f"'{word}' names no package: write NAME, NAME==1.2, 'NAME>=1' or NAME[extra]."
        ) from None
    if found.url is not None:
        raise PipRefused(f"'{word}' has an address; sessions install by name only.")
    return found


def _applies(requirement: Requirement) -> bool:
    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate({**ENVIRONMENT, "extra": ""})
    except (UndefinedComparison, UndefinedEnvironmentName, ValueError):
        return False


def project_of(requirement: Requirement) -> str:
    """The name by which an index knows it."""
    return str(canonicalize_name(requirement.name))
