"""Exception -> text lines as CPython prints them, without our own frames."""

import linecache
import os
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from sys import intern
from types import TracebackType

from watchglass_monitor.origin import type_name

MAX_FRAMES = 100
MAX_LINE_CHARS = 20_000
MAX_NAME_CHARS = 500
MAX_TOTAL_CHARS = 256 * 1024
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_EXECUTION = re.compile(r"<In\[(\d+)\]>\Z")
_FOREIGN = re.compile(r"[/\\]_?pyodide[/\\]|\A<frozen importlib\b|\A<frozen runpy>")
_LOOP = re.compile(r"[/\\]asyncio[/\\]events\.py\Z")
# More than this is never shown, and reading the positions of 10**5 frames takes seconds.
_READ_FRAMES = 4000


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """What a client is told of an exception."""

    name: str
    message: str
    traceback: list[str]
    line: int | None


def file_name(number: int) -> str:
    """The file name under which execution `number` is compiled: each time the same object."""
    return intern(f"<In[{number}]>")


def remember_source(number: int, code: str) -> None:
    """Let tracebacks and inspect.getsource find the lines of an execution."""
    name = file_name(number)
    if not code.endswith("\n"):
        code += "\n"  # as linecache does: carets are counted from the end of the line
    # A modification time of None tells linecache.checkcache to leave the entry alone.
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)


def format_error(exc: BaseException, number: int | None = None) -> ErrorReport:
    """Describe `exc`; `number` is the execution in whose code `line` is wanted."""
    return ErrorReport(
        name=_type_name(exc),
        message=_cut(_message(exc), MAX_LINE_CHARS),
        traceback=_bounded(_lines(exc)),
        line=_line(exc, number),
    )


class BriefStack(traceback.StackSummary):
    """A stack that says how often a frame repeats and leaves out the middle of a long one."""

    def format(self, **options: object) -> list[str]:
        groups = [self._group(run, options) for run in _runs(self)]
        if len(groups) > MAX_FRAMES:
            half = MAX_FRAMES // 2
            hidden = len(groups) - 2 * half
            groups[half:-half] = [[f"  [{hidden} more frames are left out here]\n"]]
        return [line for group in groups for line in group]

    def _group(self, run: list[traceback.FrameSummary], options: dict[str, object]) -> list[str]:
        shown = [self._frame(frame, options) for frame in run[:3]]
        more = len(run) - 3
        if more > 0:
            times = "time" if more == 1 else "times"
            shown.append(f"  [Previous line repeated {more} more {times}]\n")
        return shown

    def _frame(self, frame: traceback.FrameSummary, options: dict[str, object]) -> str:
        # 3.13 added colorize=, which 3.11 does not know.
        format_frame: Callable[..., str] = self.format_frame_summary
        return format_frame(frame, **options)


def _runs(frames: traceback.StackSummary) -> Iterator[list[traceback.FrameSummary]]:
    run: list[traceback.FrameSummary] = []
    for frame in frames:
        if run and (frame.filename, frame.lineno, frame.name) != (
            run[-1].filename,
            run[-1].lineno,
            run[-1].name,
        ):
            yield run
            run = []
        run.append(frame)
    if run:
        yield run


def _lines(exc: BaseException) -> list[str]:
    try:
        report = traceback.TracebackException(
            type(exc), exc, _traceback(exc), limit=-_READ_FRAMES, compact=True
        )
        _clean(report, set())
        return list(report.format())
    except KeyboardInterrupt:
        raise
    except BaseException:
        # A __str__, __notes__ or __cause__ of the user's that is broken in a new way.
        frames = BriefStack(_shown(traceback.extract_tb(_traceback(exc), limit=-_READ_FRAMES)))
        last = f"{_type_name(exc)}: {_message(exc)}\n"
        return ["Traceback (most recent call last):\n", *frames.format(), last]


def _clean(report: traceback.TracebackException, seen: set[int]) -> None:
    """Take our frames out of `report` and of all that it is chained to."""
    waiting = [report]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        # Typed as StackSummary only; None leaves out the "Traceback" heading.
        frames = _shown(each.stack or ())
        each.stack = BriefStack(frames) if frames else None  # type: ignore[assignment]
        linked = (each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ()))
        waiting.extend(other for other in linked if other is not None)


def _shown(frames: "traceback.StackSummary | tuple[()]") -> list[traceback.FrameSummary]:
    return [frame for frame in frames if not _is_ours(frame.filename, frame.name)]


def _is_ours(file: str, name: str) -> bool:
    if name == "_run" and _LOOP.search(file):
        return True  # the event loop calls a task or callback, as we call an execution
    return file.startswith(_HERE) or _FOREIGN.search(file) is not None


def _bounded(lines: list[str]) -> list[str]:
    """One text line each, bounded in length and in all."""
    result: list[str] = []
    room = MAX_TOTAL_CHARS
    pieces = [piece for line in lines for piece in line.removesuffix("\n").split("\n")]
    for position, piece in enumerate(pieces):
        piece = _cut(piece, MAX_LINE_CHARS)
        room -= len(piece) + 1
        # The last line names the exception: it is worth more than the middle.
        if room < MAX_LINE_CHARS and position < len(pieces) - 1:
            hidden = len(pieces) - position - 1
            result.append(f"  [{hidden} more lines are left out here]")
            result.append(_cut(pieces[-1], MAX_LINE_CHARS))
            break
        result.append(piece)
    return result


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]} … {len(text) - 2 * half} characters left out … {text[-half:]}"


def _type_name(exc: BaseException) -> str:
    return _cut(type_name(type(exc)), MAX_NAME_CHARS)


def _message(exc: BaseException) -> str:
    try:
        # Not an f-string: __str__ may return a subclass whose __format__ is the user's.
        return str.__str__(str(exc))
    except KeyboardInterrupt:
        raise
    except BaseException as problem:
        return f"<its __str__ raised {_type_name(problem)}>"


def _traceback(exc: BaseException) -> TracebackType | None:
    # Past any __getattribute__ of the user's.
    found = BaseException.__dict__["__traceback__"].__get__(exc)
    return found if isinstance(found, TracebackType) else None


def _line(exc: BaseException, number: int | None) -> int | None:
    wanted = None if number is None else file_name(number)
    frame_line = _innermost_line(_traceback(exc), wanted)
    # issubclass, because isinstance asks the object for its __class__.
    if frame_line is not None or not issubclass(type(exc), SyntaxError):
        return frame_line
    fields = SyntaxError.__dict__
    file, line = (fields[name].__get__(exc) for name in ("filename", "lineno"))
    return line if isinstance(line, int) and _matches(file, wanted) else None


def _innermost_line(tb: TracebackType | None, wanted: str | None) -> int | None:
    line = None
    while tb is not None:
        if _matches(tb.tb_frame.f_code.co_filename, wanted):
            line = tb.tb_lineno
        tb = tb.tb_next
    return line


def _matches(file: object, wanted: str | None) -> bool:
    if wanted is not None:
        return file == wanted
    return isinstance(file, str) and _EXECUTION.match(file) is not None
