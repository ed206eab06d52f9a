"""Where the user's code is: its running line, and its frames with their local variables."""

from collections.abc import Iterator
from itertools import islice
from pathlib import PurePath
from sys import _getframe
from types import FrameType
from typing import Any, NotRequired, TypedDict

from .summary import summary
from .watcher import USER_FILE
from .wire import Variable

MAX_FRAMES = 60
MAX_LOCALS = 100
# As far as is looked for the first of the user's frames: recursion may be 10**5 deep.
MAX_DEPTH = 2000
_OUTERMOST = 10
_OURS = f"{PurePath(__file__).parent}/"


class Frame(TypedDict):
    """One frame of the user's code, or of a library that it called."""

    name: str
    file: str
    number: int | None  # of the execution whose code it is
    line: int | None
    locals: list[Variable]


class Frames(TypedDict):
    """The frames from the outermost to the innermost, and how many are left out between them."""

    frames: list[Frame]
    omitted: int


class RunningLine(TypedDict):
    """The line that runs: of which execution's code, and inside of which function."""

    number: int
    line: int
    function: str | None
    calls: NotRequired[int]  # the line of the running execution that called this


def running_line(stack: list[FrameType], number: int) -> RunningLine | None:
    """Where the execution `number` is, by its frames from the innermost to the outermost."""
    found: RunningLine | None = None
    own: int | None = None
    for frame in stack:
        written_in = _number(frame)
        if written_in is None or not frame.f_lineno:
            continue
        if found is None:
            found = {"number": written_in, "line": frame.f_lineno, "function": _function(frame)}
        if written_in == number:
            own = frame.f_lineno
    if found is not None and own is not None:
        found["calls"] = own
    return found


def frames(stack: list[FrameType]) -> Frames:
    """The frames with their locals, the innermost last."""
    users = [index for index, frame in enumerate(stack) if _number(frame) is not None]
    kept = stack[: users[-1] + 1] if users else []
    inner = kept if len(kept) <= MAX_FRAMES else kept[: MAX_FRAMES - _OUTERMOST]
    outer = [] if inner is kept else kept[-_OUTERMOST:]
    shown = [_describe(frame) for frame in (*reversed(outer), *reversed(inner))]
    return {"frames": shown, "omitted": len(kept) - len(inner) - len(outer)}


def running_stack(waiting: list[FrameType], coroutine: object) -> list[FrameType]:
    """The user's frames, the innermost first: of what runs, or waits in a call, or awaits."""
    stack = callers(_getframe())
    if not any(_number(frame) is not None for frame in stack):
        stack = waiting
    if not any(_number(frame) is not None for frame in stack):
        stack = _awaiting(coroutine)
    return stack


def callers(frame: FrameType | None) -> list[FrameType]:
    """The frames up to the kernel's own, which called the user's code."""
    found: list[FrameType] = []
    for each in islice(_outwards(frame), MAX_DEPTH):
        if not each.f_code.co_filename.startswith(_OURS):
            found.append(each)
        elif found:
            break
    return found


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _awaiting(coroutine: Any) -> list[FrameType]:
    """The frames of a coroutine that is suspended, and of what it awaits."""
    found: list[FrameType] = []
    for _ in range(MAX_DEPTH):
        frame = _of(coroutine, "frame")
        if type(frame) is not FrameType:
            break
        if not frame.f_code.co_filename.startswith(_OURS):
            found.append(frame)
        coroutine = _of(coroutine, "await")
    return found[::-1]


def _of(suspended: Any, what: str) -> object:
    """A part of a coroutine or generator, and of nothing that has code of its own for that."""
    prefix = _PREFIXES.get(type(suspended).__name__)
    if prefix is None or type(suspended).__module__ != "builtins":
        return None
    name = "gi_yieldfrom" if (prefix, what) == ("gi", "await") else f"{prefix}_{what}"
    return getattr(suspended, name, None)


_PREFIXES = {"coroutine": "cr", "generator": "gi", "async_generator": "ag"}


def _describe(frame: FrameType) -> Frame:
    return {
        "name": frame.f_code.co_name[:200],
        "file": frame.f_code.co_filename[-200:],
        "number": _number(frame),
        # Before its first instruction a module's code is at line 0, where there is none.
        "line": frame.f_lineno or frame.f_code.co_firstlineno,
        "locals": _locals(frame),
    }


def _locals(frame: FrameType) -> list[Variable]:
    """The local variables; those of a module are its globals, which are shown elsewhere."""
    held: Any = frame.f_locals
    if held is frame.f_globals or frame.f_code.co_name == "<module>":
        return []
    # The body of a class runs in whatever mapping its metaclass has prepared.
    if type(held) not in (dict, _PROXY):
        return []
    return [
        summary(name, value, 0, settable=False)
        for name, value in islice(held.items(), MAX_LOCALS)
        if type(name) is str
    ]


def _function(frame: FrameType) -> str | None:
    name = frame.f_code.co_name
    return None if name == "<module>" else name[:200]


def _number(frame: FrameType) -> int | None:
    """The execution in whose code a frame is."""
    file = frame.f_code.co_filename
    number = file[len(USER_FILE) :].partition("]")[0] if file.startswith(USER_FILE) else ""
    return int(number) if number.isdecimal() and len(number) < 10 else None


def _proxy() -> type:
    """What the locals of a function are: a proxy since 3.13, a dict before."""
    return type(_getframe().f_locals)


_PROXY = _proxy()
