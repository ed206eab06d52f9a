"""Events → what a person reads: the executions with their outputs, and the variables. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchglass_sync.records import Chunk, Event

OUTPUT_TYPES = frozenset({"stream", "display_data", "execute_result", "error", "input"})


@dataclass(slots=True)
class Output:
    """One output: an event's type, and its data without `execution`; "input": `input.answered`."""

    type: str
    data: dict[str, Any]


@dataclass(slots=True)
class TranscriptExecution:
    """One execution. `truncated`: its streams hold not all of what it printed."""

    execution: str
    number: int
    code: str
    author: Any = None
    status: str = "queued"
    duration_ms: float | None = None
    outputs: list[Output] = field(default_factory=list)
    truncated: bool = False

    @property
    def error(self) -> Mapping[str, Any] | None:
        """The exception that ended it, if one did."""
        return next((one.data for one in self.outputs if one.type == "error"), None)


@dataclass(slots=True)
class Transcript:
    """A session as its events tell it."""

    executions: dict[str, TranscriptExecution] = field(default_factory=dict)
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Take in the next event."""
        data: dict[str, Any] = event.data
        if event.type == "variables.changed":
            self._change_variables(data["changes"])
        elif event.type == "state.reset":
            self.variables = {one["name"]: one for one in data["variables"]}
        elif event.type == "update_display_data":
            self._update_display(data)
        elif event.type == "execution.queued":
            self._execution(data)
        elif "execution" in data and data["execution"] in self.executions:
            self._apply_to(self.executions[data["execution"]], event.type, data)
        elif event.type == "execution.started":
            self._execution(data).status = "running"

    def _execution(self, data: Mapping[str, Any]) -> TranscriptExecution:
        one = TranscriptExecution(
            data["execution"], data["number"], data["code"], data.get("author")
        )
        self.executions[one.execution] = one
        return one

    def _apply_to(self, one: TranscriptExecution, kind: str, data: dict[str, Any]) -> None:
        rest = {name: value for name, value in data.items() if name != "execution"}
        match kind:
            case "execution.started":
                one.status = "running"
            case "execution.finished":
                one.status, one.duration_ms = data["status"], data.get("duration_ms")
            case "stream.truncated":
                one.truncated = True
            case "input.answered":
                one.outputs.append(Output("input", rest))
            case "stream" if _continues(one.outputs, rest):
                one.outputs[-1].data["text"] += rest["text"]
            case _ if kind in OUTPUT_TYPES:
                one.outputs.append(Output(kind, rest))

    def _update_display(self, update: Mapping[str, Any]) -> None:
        for one in self.executions.values():
            for output in one.outputs:
                if output.data.get("display_id") == update["display_id"] is not None:
                    output.data["bundle"] = update["bundle"]

    def _change_variables(self, changes: Iterable[Mapping[str, Any]]) -> None:
        for change in changes:
            if change["op"] == "set":
                self.variables[change["name"]] = change["variable"]
            else:
                self.variables.pop(change["name"], None)


def with_text(outputs: Iterable[Output], chunks: Sequence[Chunk]) -> list[Output]:
    """The outputs with `chunks` for all their streams, where the first stream was."""
    text = [Output("stream", {"name": chunk.name, "text": chunk.text}) for chunk in chunks]
    placed: list[Output] = []
    for output in outputs:
        if output.type != "stream":
            placed.append(output)
        elif text:
            placed, text = placed + text, []
    return placed + text


def _continues(outputs: Sequence[Output], data: Mapping[str, Any]) -> bool:
    return bool(
        outputs and outputs[-1].type == "stream" and outputs[-1].data["name"] == data["name"]
    )
