"""Events → lines of a terminal: what everyone in the session does, as it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from watchglass_server.client import JsonObject
from watchglass_server.terminal_text import plain

SHOWN_EXECUTIONS = 5
Span = tuple[str, str]
"""Text, and its style: "", "red", "green", "dim"."""
Write = Callable[[Sequence[Span]], None]


class TranscriptView:
    """Shows a session's picture, then its events. `own`: executions that were typed here."""

    def __init__(self, write: Write, name: str) -> None:
        self.own: set[str] = set()
        self.codes: list[str] = []
        self.next_number = 1
        self._write = write
        self._name = name
        self._numbers: dict[str | None, int] = {}
        self._truncated: dict[str | None, JsonObject] = {}
        self._at_line_start = True

    def show_state(self, state: JsonObject) -> None:
        """The session as it is, and its last executions."""
        people = len(state["participants"])
        about = f"{plain(state['name'] or state['session'], 60)} · {state['status']} · "
        self._line(f"{about}{people} here · Ctrl+D leaves, the session goes on", "dim")
        executions = state["executions"]
        self.codes = [one["code"] for one in executions]
        self.next_number = max((one["number"] for one in executions), default=0) + 1
        hidden = state.get("execution_count", len(executions)) - SHOWN_EXECUTIONS
        if hidden > 0:
            self._line(f"… {hidden} earlier executions", "dim")
        for one in executions[-SHOWN_EXECUTIONS:]:
            self._show_code(one)
            for output in one["outputs"]:
                self._show_output({**output, "execution": one["execution"]}, output["type"])

    def show(self, event: JsonObject) -> None:
        """What happened."""
        kind, data = event["type"], event["data"]
        match kind:
            case "execution.queued":
                self.next_number = max(self.next_number, data["number"] + 1)
            case "execution.started":
                self._numbers[data["execution"]] = data["number"]
                if data["execution"] not in self.own:
                    self._show_code(data)
            case "stream.truncated":  # comes every second: the last one is shown, at the end
                self._truncated[data["execution"]] = data
            case "execution.finished":
                self._show_end(data)
            case "process.state" if data["state"] == "dead" and data.get("exit"):
                self._line(f"the process ended: {data['exit']['message']}", "red")
            case "state.reset" if data["restore"]:
                self._show_restore(data["restore"])
            case "participant.joined" if data["name"] != self._name:
                self._line(f"{plain(data['name'], 40)} is here ({data['role']})", "dim")
            case "participant.left" if data["name"] != self._name:
                self._line(f"{plain(data['name'], 40)} left", "dim")
            case "script.changed":
                self._show_changed(data)
            case "session.destroyed":
                self._line("the session is gone", "red")
            case "input.requested" if data["execution"] not in self.own:
                self._line(f"{data['prompt']} (waiting for input)", "dim")
            case _:
                self._show_output(data, kind)

    def _show_changed(self, data: JsonObject) -> None:
        path = plain(data["path"], 80)
        if data["version"] is None:
            self._line(f"{path} is deleted on disk", "dim")
            return
        how = f"; %reload {path} takes it" if data["kind"] == "module" else ""
        self._line(f"{path} has changed on disk{how}", "dim")

    def _show_output(self, data: JsonObject, kind: str) -> None:
        match kind:
            case "stream":
                self._print((data["text"], "red" if data["name"] == "stderr" else ""))
            case "stream.truncated":
                self._line(f"… {data['dropped_bytes']:,} bytes are not shown here …", "dim")
                self._print(*((part["text"], "") for part in data["tail"]))
            case "display_data" | "update_display_data":
                self._line(_plain_text(data["bundle"]), "")
            case "execute_result":
                self._result(data)
            case "error":
                self._line("\n".join(data["traceback"]), "red")
            case _:
                pass

    def _result(self, data: JsonObject) -> None:
        text = _plain_text(data["bundle"])
        label = f"Out[{data['number']}]: "
        self._fresh_line()
        self._print((label, "red"), (("\n" if "\n" in text else "") + text + "\n", ""))

    def _show_code(self, one: JsonObject) -> None:
        self._numbers[one["execution"]] = one["number"]
        author = f"{plain(one['author'], 40)} " if one.get("author") else ""
        if script := one.get("script"):
            author += f"{plain(script['path'], 80)} "
        prompt = f"In [{one['number']}]: "
        first, *rest = one["code"].split("\n")
        indent = " " * (len(author) + len(prompt) - 5) + "...: "
        self._fresh_line()
        shown = "\n".join([first, *(indent + line for line in rest)]) + "\n"
        self._print((author + prompt, "green"), (shown, ""))

    def _show_end(self, data: JsonObject) -> None:
        if truncated := self._truncated.pop(data["execution"], None):
            self._show_output(truncated, "stream.truncated")
        if data["status"] in ("ok", "error"):
            self._fresh_line()
        else:
            number = self._numbers.get(data["execution"])
            where = f"In [{number}] " if number else ""
            self._line(f"{where}{data['status']}", "red")

    def _show_restore(self, restore: Iterable[JsonObject]) -> None:
        verdicts: dict[str, list[str]] = {}
        for one in restore:
            verdicts.setdefault(one["verdict"], []).append(_verdict(one))
        kept = len(verdicts.pop("restored", ()))
        self._line(f"a new process: {kept} variables are back", "dim")
        for verdict, names in verdicts.items():
            said = "to be run again" if verdict == "rerun" else verdict
            self._line(f"  {said}: {', '.join(names)}", "dim")

    def _line(self, text: str, style: str) -> None:
        self._fresh_line()
        self._print((text.rstrip("\n") + "\n", style))

    def _fresh_line(self) -> None:
        if not self._at_line_start:
            self._print(("\n", ""))

    def _print(self, *spans: Span) -> None:
        if spans and spans[-1][0]:
            self._write(spans)
            self._at_line_start = spans[-1][0].endswith("\n")


def _verdict(one: JsonObject) -> str:
    name = plain(str(one["name"]), 80)
    return f"{name} ({one['why']})" if one.get("why") else name


def _plain_text(bundle: dict[str, Any]) -> str:
    text = bundle.get("text/plain")
    return text if isinstance(text, str) else f"<{', '.join(bundle)}>"
