"""`watchglass attach`: a terminal REPL on a running session."""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import contextlib
import getpass
import queue
import signal
import threading
import uuid
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from watchglass_server.client import CallRefused, Client, ClientError, JsonObject, ServerAddress
from watchglass_server.subcommands.connecting import (
    add_connection,
    exchange_code,
    find_server,
    reported,
)
from watchglass_server.subcommands.line_editor import LineEditor
from watchglass_server.subcommands.transcript_view import TranscriptView

T = TypeVar("T")

NAME = "attach"
HELP = "a terminal REPL on a running session"
DESCRIPTION = """
Joins a session: what others run appears as it happens, what you type runs for all. Enter runs code
when it is complete, Tab completes, the arrows bring back history, Ctrl+C interrupts what runs (or
empties the line), Ctrl+D leaves; the session goes on. With standard input from a file or a pipe,
its lines are run and the command ends, with exit status 1 when the last execution failed.
"""
CALL_TIMEOUT_S = 30.0
COMPLETION_TIMEOUT_S = 2.0
WAIT_S = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "session", metavar="SESSION", help="as `watchglass sessions` lists it, or a share link"
    )
    parser.add_argument("--name", help="who you are to the others [your user name]")
    add_connection(parser)


@reported
async def run(args: argparse.Namespace) -> int:
    """Talk to the server in a thread of its own: this one waits for keys."""
    exchanged = await exchange_code(args.session)
    address, session = exchanged or (find_server(args), args.session)
    with _interruptible(), Terminal(address, session, args.name or _user()) as terminal:
        return terminal.run()


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl+C as KeyboardInterrupt where we wait, not as the end of the event loop's task."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "terminal"


class Terminal:
    """Keys and screen on this side, a connection in a thread on the other."""

    def __init__(self, address: ServerAddress, session: str, name: str) -> None:
        self._address = address
        self._session = session
        self._name = name
        self._events: queue.SimpleQueue[JsonObject] = queue.SimpleQueue()
        self._connected = True
        self._ended = False
        self._leaving = False
        self._editor = LineEditor(self._complete)
        self._view = TranscriptView(self._editor.write_spans, name)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._client: Client | None = None

    def __enter__(self) -> Terminal:
        self._thread.start()
        try:
            self._view.show_state(self._wait(self._join(), CALL_TIMEOUT_S)["state"])
        except BaseException:
            self.__exit__()
            raise
        self._editor.remember(self._view.codes)
        return self

    def __exit__(self, *exc: object) -> None:
        self._leaving = True
        with contextlib.suppress(ClientError):
            self._wait(self._leave(), CALL_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self) -> int:
        """Read, run, print, until the end of input or of the session."""
        status = "ok"
        while not self._ended:
            try:
                code = self._read()
            except EOFError:
                break
            if code.strip():
                status = self._execute(code)
        self._editor.close()
        return 0 if self._editor.is_interactive or status == "ok" else 1

    def _read(self) -> str:
        """One execution's code: lines until the server says that they are complete."""
        while True:
            try:
                return self._read_lines()
            except KeyboardInterrupt:
                self._editor.end_line("^C")

    def _read_lines(self) -> str:
        lines: list[str] = []
        indent = ""
        prompt = f"In [{self._view.next_number}]: "
        while True:
            try:
                line = self._editor.read(
                    prompt if not lines else "...: ".rjust(len(prompt)), indent
                )
            except EOFError:
                if lines:
                    return "\n".join(lines)
                raise
            lines.append(line)
            code = "\n".join(lines)
            self._editor.before = code + "\n"
            # A session without a process cannot tell: what is typed then is taken as complete.
            answer = self._ask("is_complete", quiet=True, code=code)
            # An empty line ends a block, as at Python's own prompt.
            if answer.get("status") != "incomplete" or (len(lines) > 1 and not line.strip()):
                self._editor.before = ""
                return code.rstrip("\n ")
            indent = str(answer.get("indent") or "")

    def _execute(self, code: str) -> str:
        """Run it and show what it does until it ends; Ctrl+C interrupts it."""
        execution = f"t{uuid.uuid4().hex[:12]}"
        self._view.own.add(execution)
        try:
            accepted = self._ask("execute", code=code, execution=execution)
        except KeyboardInterrupt:  # it is on its way: too late to keep it back
            accepted = self._ask("interrupt", execution=execution)
        return self._follow(execution) if accepted else "refused"

    def _follow(self, execution: str) -> str:
        while True:
            try:
                event = self._events.get(timeout=WAIT_S)
                if self._ended:
                    return "lost"
                if event["data"].get("execution") != execution:  # one whose answer came too late
                    continue
                if event["type"] == "input.requested":
                    self._answer(event["data"])
                else:
                    return str(event["data"]["status"])
            except queue.Empty:
                continue
            except KeyboardInterrupt:
                self._editor.write("\n")
                if not self._connected:
                    return "lost"
                self._ask("interrupt", execution=execution)

    def _answer(self, request: JsonObject) -> None:
        try:
            text = self._editor.ask(request["prompt"], hidden=request["password"])
        except EOFError:
            self._editor.write("\n(no input: interrupting)\n", "dim")
            self._ask("interrupt", execution=request["execution"])
            return
        self._ask("input.reply", request=request["request"], text=text)

    def _complete(self, code: str, cursor: int) -> JsonObject:
        assert self._client is not None
        asked = self._client.call("complete", session=self._session, code=code, cursor=cursor)
        try:
            return self._wait(asked, COMPLETION_TIMEOUT_S)
        except ClientError:
            return {"matches": [], "start": cursor, "end": cursor}

    def _ask(self, event: str, *, quiet: bool = False, **fields: Any) -> JsonObject:
        """A call whose refusal is shown (unless `quiet`) and is not the end."""
        assert self._client is not None
        try:
            return self._wait(
                self._client.call(event, session=self._session, **fields), CALL_TIMEOUT_S
            )
        except ClientError as exc:
            if isinstance(exc, CallRefused) and exc.code == "session_not_found":
                raise
            if not quiet:
                self._editor.write(f"{exc}\n", "red")
        return {}

    def _wait(self, asked: Coroutine[Any, Any, T], timeout: float) -> T:
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            return answer.result(timeout)
        except concurrent.futures.TimeoutError:
            answer.cancel()
            raise ClientError(f"no answer within {timeout:g} s; try again") from None

    async def _join(self) -> JsonObject:
        client = Client(self._address, on_connection=self._on_connection)
        self._client = await client.__aenter__()
        return await client.join(self._session, self._on_event, name=self._name)

    async def _leave(self) -> None:
        if self._client is not None:
            await self._client.__aexit__(None, None, None)

    def _on_event(self, event: JsonObject) -> None:
        """In the connection's thread: show it, and pass on what the other thread waits for."""
        self._view.show(event)
        kind, data = event["type"], event["data"]
        if kind == "session.destroyed":
            self._ended = True
            self._events.put(event)
        if data.get("execution") in self._view.own and kind in (
            "input.requested",
            "execution.finished",
        ):
            self._events.put(event)

    def _on_connection(self, state: JsonObject) -> None:
        words = {
            "disconnected": "\n(disconnected; trying again)\n",
            "gap": "\n(too much was missed to show it here)\n",
            "lost": f"\n(cannot come back: {state.get('reason')})\n",
        }
        self._connected = state["state"] in ("connected", "gap")
        if not self._leaving and state["state"] in words:
            self._editor.write(words[state["state"]], "dim")
            if state["state"] == "lost":
                self._ended = True
                self._events.put({"type": "lost", "data": {}})
