"""The settings of `watchglass serve`: one table, from which flags, variables and docs follow."""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from watchglass_server.errors import SetupError
from watchglass_server.fields import MAX_CODE_BYTES
from watchglass_sync.mirror_address import MirrorAddress

ENVIRONMENT_PREFIX = "WATCHGLASS_"

T = TypeVar("T")
_UNITS_S = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_UNITS_BYTES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


class SettingError(SetupError):
    """A flag or an environment variable has a value that cannot be."""


def setting(
    default: T,
    words: str,
    parse: Callable[[str], Any] | None = None,
    metavar: str = "",
    *,
    is_secret: bool = False,
) -> T:
    """One row of the table: the default, what it is for, and how its text is read."""
    if parse is None:
        parse = type(default)
    metadata = {"words": words, "parse": parse, "metavar": metavar}
    made: T = field(default=default, metadata=metadata, repr=not is_secret)
    return made


def duration(text: str) -> float:
    """Seconds, or a number with ms, s, m, h or d."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?", text.strip())
    if not found:
        raise ValueError(f"'{text}' is no duration: write 90, 90s, 30m or 2h")
    return float(found[1]) * _UNITS_S[found[2] or ""]


def size(text: str) -> int:
    """Bytes, or a number with K, M or G."""
    found = re.fullmatch(r"(\d+)\s*([kmg]?)(?:i?b)?", text.strip().lower())
    if not found:
        raise ValueError(f"'{text}' is no size: write 67108864, 512M or 2G")
    return int(found[1]) * _UNITS_BYTES[found[2]]


def optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    """The same, where `none` means no limit."""

    def read(text: str) -> T | None:
        return None if text.strip().lower() == "none" else parse(text)

    return read


def folder(text: str) -> Path:
    """A folder or a file; `~` is the home directory."""
    return Path(text).expanduser()


def port(text: str) -> int:
    """A TCP port; 0 picks a free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(f"'{text}' is no port: write a number from 0 to 65535")
    return int(text)


def count(text: str) -> int:
    """A number from 0 up."""
    if not text.isdecimal():
        raise ValueError(f"'{text}' is no count: write a whole number from 0 up")
    return int(text)


def rate(text: str) -> float:
    """How many in a second; more than none."""
    if not re.fullmatch(r"\d+(?:\.\d+)?", text.strip()) or float(text) <= 0:
        raise ValueError(f"'{text}' is no rate: write how many in a second, as 100 or 0.5")
    return float(text)


def choice(*values: str) -> Callable[[str], str]:
    """One of these words."""

    def read(text: str) -> str:
        if text not in values:
            raise ValueError(f"'{text}' is not one of {', '.join(values)}")
        return text

    read.__doc__ = " or ".join(values)
    return read


def origin(text: str) -> str:
    """An origin as browsers send it: scheme://host[:port]."""
    text = text.strip().rstrip("/")
    if not re.fullmatch(r"https?://[^/\s]+", text):
        raise ValueError(f"'{text}' is no origin: write https://example.org")
    return text


def package_name(text: str) -> str:
    """The name of a package."""
    if not re.fullmatch(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", text.strip(), re.ASCII):
        raise ValueError(f"'{text}' is no name of a package: write NAME, without a version")
    return text.strip()


def index_address(text: str) -> str:
    """The address of a package index."""
    if not re.fullmatch(r"https?://[^/\s]+\S*", text.strip()):
        raise ValueError(f"'{text}' is no address of an index: write https://example.org/simple")
    return text.strip()


def truth(text: str) -> bool:
    """True for 1, true, yes and on."""
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False, "": False}
    if text.strip().lower() not in words:
        raise ValueError(f"'{text}' is neither true nor false: write 1 or 0")
    return words[text.strip().lower()]


_DATA_DIR = Path(platformdirs.user_data_dir("watchglass", appauthor=False))
_CACHE_DIR = Path(platformdirs.user_cache_dir("watchglass", appauthor=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be set."""

    host: str = setting("127.0.0.1", "Address to listen at.", metavar="ADDRESS")
    port: int = setting(8765, "TCP port; 0 picks a free one.", port, "PORT")
    data_dir: Path = setting(  # noqa: RUF009 - a row like every other
        _DATA_DIR,
        "Where sessions are kept; one server at a time.",
        folder,
        "DIR",
    )
    cache_dir: Path = setting(  # noqa: RUF009 - a row like every other
        _CACHE_DIR,
        "Where base images and packages are kept; may be deleted while no server runs.",
        folder,
        "DIR",
    )
    token: str | None = setting(
        None,
        "The server token, at least 16 characters; by default a random one. Other users of the "
        "machine see the flag, but not the variable.",
        str,
        "TOKEN",
        is_secret=True,
    )
    open: bool = setting(False, "Open the page in a browser when ready.", truth)
    allow_origin: tuple[str, ...] = setting(
        (),
        "An origin beside the server's own whose pages may connect, and by whose name the server "
        "may be called; may be given several times.",
        origin,
        "ORIGIN",
    )
    watch: Path | None = setting(  # noqa: RUF009 - a row like every other
        None,
        "A folder whose Python files sessions can load and import; a file that changes is offered "
        "for reloading (docs/scripts.md).",
        folder,
        "DIR",
    )
    isolation: str = setting(
        "strict",
        "What holds a session: strict (a jail of the kernel's own means, checked at each start, "
        "which fails where it does not hold) or process (an operating system process "
        "of its own and no jail: only for people you trust).",
        choice("strict", "process"),
        "LEVEL",
    )
    packages: str = setting(
        "free",
        "What who holds the server token may install with %pip: nothing (off), what "
        "--allow-package names (listed), or any package of the index (free) (docs/packages.md).",
        choice("off", "listed", "free"),
        "MODE",
    )
    shared_packages: str = setting(
        "off",
        "The same, for who came in by a share link or a session token.",
        choice("off", "listed", "free"),
        "MODE",
    )
    allow_package: tuple[str, ...] = setting(
        (),
        "A package that may be installed where the mode is listed, with what it needs; may be "
        "given several times.",
        package_name,
        "NAME",
    )
    wheel_dir: Path | None = setting(  # noqa: RUF009 - a row like every other
        None,
        "A folder of wheels that everyone may install with %pip, without a network.",
        folder,
        "DIR",
    )
    package_index: str | None = setting(
        None,
        "Where packages come from: a simple repository that speaks JSON; by default the one that "
        "pip is set to.",
        index_address,
        "URL",
    )
    spacetimedb: MirrorAddress | None = setting(  # noqa: RUF009 - a row like every other
        None,
        "A SpacetimeDB database in which every session is mirrored as rows while it runs, as "
        "http://127.0.0.1:3000/watchglass (docs/mirror.md).",
        MirrorAddress.parse,
        "URL/DATABASE",
    )
    mirror_public: bool = setting(
        False,
        "Let everyone who can reach that database read its rows; otherwise only its owner can.",
        truth,
    )
    spacetimedb_token_file: Path | None = setting(  # noqa: RUF009 - a row like every other
        None,
        "A file with the token of that database's owner; by default the one that the data "
        "directory keeps, or a new one.",
        folder,
        "FILE",
    )
    resume_from_mirror: bool = setting(
        False,
        "Before starting, take over the sessions that another data directory has mirrored in that "
        "database.",
        truth,
    )
    pool_min_size: int = setting(2, "Processes kept ready for new sessions.", count, "N")
    pool_max_size: int = setting(8, "Processes at most; each needs about 75 MB.", count, "N")
    pool_max_waiting: int = setting(64, "Sessions that may wait for a process.", count, "N")
    pool_timeout: float = setting(
        30.0, "How long a session waits for a process.", duration, "DURATION"
    )
    idle_limit: float = setting(
        1800.0,
        "How long a session without clients and without running code keeps its process; its state "
        "stays.",
        duration,
        "DURATION",
    )
    memory_limit: int = setting(512 * 2**20, "Python memory of one session.", size, "BYTES")
    wall_limit: float | None = setting(
        None, "Time that one execution may take.", optional(duration), "DURATION"
    )
    cpu_limit: float | None = setting(
        None, "Processor time that one execution may take.", optional(duration), "DURATION"
    )
    cpu_hour_limit: float | None = setting(
        None,
        "Processor time that one session may take in any hour.",
        optional(duration),
        "DURATION",
    )
    output_limit: int = setting(
        64 * 2**20, "Printed text kept of one execution; what follows is lost.", size, "BYTES"
    )
    code_limit: int = setting(
        MAX_CODE_BYTES, "Size of the code of one execution, at most 1M.", size, "BYTES"
    )
    variables_limit: int = setting(
        10_000, "Variables told of one session; the others are counted.", count, "N"
    )
    variables_size_limit: int = setting(
        8 * 2**20, "Size of all that is told of one session's variables.", size, "BYTES"
    )
    poll_ms: int = setting(250, "How often values are checked for changes inside.", count, "MS")
    interrupt_grace: float = setting(
        5.0, "How long code may go on after an interrupt before it is ended.", duration, "DURATION"
    )
    max_queue: int = setting(100, "Executions that may wait in one session.", count, "N")
    max_participants: int = setting(100, "Connections that may be in one session.", count, "N")
    max_sessions: int = setting(
        10_000, "Sessions that this server keeps, asleep or not.", count, "N"
    )
    max_rate: float | None = setting(
        500.0,
        "Calls that one connection may make in a second; for a moment twice as many.",
        optional(rate),
        "N",
    )
    log_level: str = setting(
        "info",
        "How much is logged to standard error.",
        choice("debug", "info", "warning", "error"),
        "LEVEL",
    )

    def check(self) -> Config:
        """Return self, or say which settings do not go together."""
        if self.pool_max_size < max(1, self.pool_min_size):
            raise SettingError(
                f"--pool-max-size {self.pool_max_size} is less than --pool-min-size "
                f"{self.pool_min_size} or 1; raise it."
            )
        if self.token is not None and len(self.token) < 16:
            raise SettingError("--token has fewer than 16 characters; choose a longer one.")
        if self.resume_from_mirror and self.spacetimedb is None:
            raise SettingError(
                "--resume-from-mirror needs to know which mirror; name its database with "
                "--spacetimedb."
            )
        if self.code_limit > MAX_CODE_BYTES:
            raise SettingError(f"--code-limit is more than {MAX_CODE_BYTES:,} bytes; lower it.")
        return self


SETTINGS = dataclasses.fields(Config)


def flag(name: str) -> str:
    """`pool_max_size` → `--pool-max-size`."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """`pool_max_size` → `WATCHGLASS_POOL_MAX_SIZE`."""
    return ENVIRONMENT_PREFIX + name.upper()


def add_flags(parser: argparse.ArgumentParser, *names: str) -> None:
    """Give the parser a flag for each setting (or only for those named)."""
    for row in SETTINGS:
        if names and row.name not in names:
            continue
        words = f"{row.metadata['words']} [{shown(row)}; ${variable(row.name)}]"
        kind: dict[str, Any] = {"metavar": row.metadata["metavar"]}
        if row.type == "bool":
            kind = {"action": "store_const", "const": "1"}
        elif row.type.startswith("tuple"):
            kind |= {"action": "append"}
        parser.add_argument(flag(row.name), dest=row.name, help=words.replace("%", "%%"), **kind)


def read_settings(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Config:
    """Return the settings: a flag counts before its variable, that before the default."""
    values: dict[str, Any] = {}
    for row in SETTINGS:
        given: Any = flags.get(row.name)
        where = flag(row.name)
        if given is None and variable(row.name) in environment:
            given, where = environment[variable(row.name)], variable(row.name)
        if given is None:
            continue
        try:
            values[row.name] = _parse(row, given)
        except ValueError as error:
            raise SettingError(f"{where}: {error}.") from None
    return Config(**values).check()


def shown(row: dataclasses.Field[Any]) -> str:
    """The default as a person would write it."""
    default: Any = row.default
    if default is None or default == ():
        return "none"
    if row.type == "bool":
        return "off" if not default else "on"
    if isinstance(default, Path):
        return "the platform's user folder"
    if row.metadata["parse"] is size:
        return f"{default // 2**20}M"
    if isinstance(default, float) and row.metadata["parse"] is not duration:
        return f"{default:g}"
    if row.metadata["parse"] is duration:
        return f"{default:g}s"
    return str(default)


def _parse(row: dataclasses.Field[Any], given: Any) -> Any:
    parse = row.metadata["parse"]
    if row.type.startswith("tuple"):
        texts = given if isinstance(given, list) else re.split(r"[,\s]+", given.strip())
        return tuple(parse(text) for text in texts if text)
    return parse(given)
