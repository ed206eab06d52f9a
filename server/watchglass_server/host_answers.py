"""Server ⇄ Node host: what a process answers to each query, with the limits of every field."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from watchglass_server.errors import AnswerError
from watchglass_server.exit_info import printable
from watchglass_server.host_messages import (
    MAX_CHILDREN,
    Count,
    Line,
    LiveChild,
    Text,
    Variable,
    Word,
)

MAX_RESTORED = 200_000

T = TypeVar("T", bound=msgspec.Struct)


class Answer(msgspec.Struct, frozen=True):
    """What the server reads of an answer; what else is in there is dropped."""


class Match(Answer, frozen=True):
    """One completion."""

    text: str
    type: Word


class CompleteAnswer(Answer, frozen=True):
    """To `complete`."""

    matches: Annotated[list[Match], Meta(max_length=10_000)]
    start: Count
    end: Count


class InspectAnswer(Answer, frozen=True):
    """To `inspect`."""

    found: bool
    signature: str | None = None
    docstring: str | None = None
    type: Text | None = None


class IsCompleteAnswer(Answer, frozen=True):
    """To `is_complete`."""

    status: Literal["complete", "incomplete", "invalid"]
    indent: Text = ""


class GetAnswer(Answer, frozen=True):
    """To `variable_get`."""

    variable: Variable
    children: Annotated[list[LiveChild], Meta(max_length=MAX_CHILDREN)]
    total: Count | None = None


class VariableAnswer(Answer, frozen=True):
    """To `variable_set`."""

    variable: Variable


class ReprAnswer(Answer, frozen=True):
    """To `variable_repr`."""

    text: str
    truncated: bool = False


class Frame(Answer, frozen=True):
    """One frame of the running code."""

    name: Word
    file: Word
    number: Count | None
    line: Line
    locals: Annotated[list[Variable], Meta(max_length=1000)]


class FramesAnswer(Answer, frozen=True):
    """To `frames`."""

    frames: Annotated[list[Frame], Meta(max_length=1000)]
    omitted: Count = 0


class WatchCheckAnswer(Answer, frozen=True):
    """To `watch_check`: what is wrong with the sources, by their fields."""

    problems: dict[Literal["expression", "condition"], Text]


class LoadVerdict(Answer, frozen=True):
    """What became of one stored name."""

    name: Word
    verdict: Literal["restored", "rerun", "lost"]
    why: Text | None = None


class RestoreAnswer(Answer, frozen=True):
    """To `restore`."""

    variables: Annotated[list[Variable], Meta(max_length=MAX_RESTORED)]
    verdicts: Annotated[list[LoadVerdict], Meta(max_length=MAX_RESTORED)]


def read_answer(answer: Mapping[str, Any], kind: type[T]) -> T:
    """An answer, checked: nothing of it is believed. Raises AnswerError."""
    try:
        return msgspec.convert(dict(answer), kind)
    except ValueError as error:
        raise AnswerError(f"this is no {kind.__name__}: {printable(str(error)[:500])}") from error
