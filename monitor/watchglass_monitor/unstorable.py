"""Values that no dump can hold, and how that is said in plain words."""

import types
from dataclasses import dataclass
from io import BytesIO, IOBase, StringIO

from watchglass_monitor.deadline import DeadlineExceeded
from watchglass_monitor.origin import type_module, type_name, type_qualname
from watchglass_monitor.plain_text import describe


class NotStorable(Exception):
    """Storing stopped at `culprit`."""

    def __init__(self, culprit: object, words: str, *, resource: bool = False) -> None:
        super().__init__(f"{words} cannot be stored")
        self.culprit = culprit
        self.words = words
        self.resource = resource


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value of an unstorable type is called."""

    words: str
    resource: bool = False


_BY_TYPE: dict[type, Kind] = {
    types.GeneratorType: Kind("a generator"),
    types.CoroutineType: Kind("a coroutine"),
    types.AsyncGeneratorType: Kind("an asynchronous generator"),
    types.FrameType: Kind("a frame of running code"),
    types.TracebackType: Kind("a traceback"),
}
# By name, because importing these modules only to compare would cost every start.
_BY_NAME: dict[tuple[str, str], Kind] = {
    ("_io", "_IOBase"): Kind("an open file", resource=True),
    ("tempfile", "_TemporaryFileWrapper"): Kind("an open temporary file", resource=True),
    ("_socket", "socket"): Kind("a socket", resource=True),
    ("mmap", "mmap"): Kind("a memory-mapped file", resource=True),
    ("sqlite3", "Connection"): Kind("an open database", resource=True),
    ("sqlite3", "Cursor"): Kind("a database cursor", resource=True),
    ("subprocess", "Popen"): Kind("a running program", resource=True),
    ("zipfile", "ZipFile"): Kind("an open ZIP file", resource=True),
    ("zipfile._zipfile", "ZipFile"): Kind("an open ZIP file", resource=True),
    ("tarfile", "TarFile"): Kind("an open TAR file", resource=True),
    ("_asyncio", "Task"): Kind("a task"),
    ("_asyncio", "Future"): Kind("a future"),
    ("asyncio.futures", "Future"): Kind("a future"),
    ("asyncio.tasks", "Task"): Kind("a task"),
    ("asyncio.events", "AbstractEventLoop"): Kind("an event loop"),
    ("asyncio.events", "Handle"): Kind("a callback that waits in the event loop"),
    ("_thread", "lock"): Kind("a lock"),
    ("_thread", "RLock"): Kind("a lock"),
    ("threading", "Thread"): Kind("a thread"),
    ("_thread", "_local"): Kind("data of one thread"),
    ("_contextvars", "ContextVar"): Kind("a context variable"),
    ("_contextvars", "Context"): Kind("a context"),
    ("re", "Match"): Kind("a match of a regular expression"),
    ("contextlib", "_GeneratorContextManager"): Kind("a context manager made of a generator"),
}
_JAVASCRIPT = {"JsProxy", "JsDoubleProxy", "JsBuffer", "JsNull", "JsUndefined"}


def unstorable_kind(cls: type) -> Kind | None:
    """What an instance of `cls` is called if none can be stored."""
    for parent in cls.__mro__:
        module, name = str(type_module(parent)), type_name(parent)
        kind = _BY_TYPE.get(parent) or _BY_NAME.get((module, name))
        if kind is not None:
            # In memory, these two store like any value.
            in_memory = kind.words == "an open file" and _is_memory_file(cls)
            return None if in_memory else kind
        if module == "itertools":
            return Kind(f"an iterator (itertools.{name})")
        if name in _JAVASCRIPT and module.startswith(("pyodide", "_pyodide")):
            return Kind("an object of JavaScript")
    return None


def refuse(value: object, kind: Kind) -> NotStorable:
    """The reason not to store `value`."""
    if isinstance(value, IOBase):
        name = getattr(value, "name", None)
        shown = f" ({name!r})" if isinstance(name, str) else ""
        if value.closed:
            return NotStorable(value, f"a closed file{shown}")
        return NotStorable(value, kind.words + shown, resource=kind.resource)
    return NotStorable(value, kind.words, resource=kind.resource)


def _is_memory_file(cls: type) -> bool:
    return issubclass(cls, StringIO | BytesIO)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one variable is not in a dump."""

    why: str
    resource: bool = False
    took_too_long: bool = False


def explain(problem: BaseException, path: str, culprit: object) -> Refusal:
    """Say why storing stopped at `path`; an empty one is the variable itself."""
    if isinstance(problem, NotStorable):
        if path:
            why = f"{path} is {problem.words}, which cannot be stored"
        else:
            why = f"{problem.words} cannot be stored"
        return Refusal(why, problem.resource)
    if isinstance(problem, DeadlineExceeded):
        return Refusal("storing it takes too long", took_too_long=True)
    subject = path or "it"
    if isinstance(problem, RecursionError):
        return Refusal("it is nested too deeply to be stored")
    if isinstance(problem, MemoryError):
        return Refusal("there is not enough memory left to store it")
    if _is_pickle_complaint(problem):
        words = f"an object of type {type_qualname(type(culprit))}"
        why = f"{path} is {words}, which cannot be stored" if path else f"{words} cannot be stored"
        return Refusal(f"{why} ({describe(problem)})")
    return Refusal(f"storing {subject} raised {describe(problem)}")


def _is_pickle_complaint(problem: BaseException) -> bool:
    if isinstance(problem, TypeError):
        return "pickle" in str(problem)
    return type(problem).__name__ == "PicklingError"
