"""Query -> reply: what the server may ask, while code runs or when nothing does."""

import io
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from json import loads
from typing import Any, TypeVar

from watchglass_monitor.completeness import is_complete
from watchglass_monitor.completion import complete
from watchglass_monitor.cursor import around
from watchglass_monitor.deadline import DeadlineExceeded
from watchglass_monitor.definitions import define_again
from watchglass_monitor.feed import Feed
from watchglass_monitor.frames import Frames
from watchglass_monitor.host import Host, Message
from watchglass_monitor.inspection import inspect_at
from watchglass_monitor.interrupts import Interrupts
from watchglass_monitor.keeping import KEPT_NAMES, Keeper
from watchglass_monitor.live import Live
from watchglass_monitor.load import load
from watchglass_monitor.namespace import is_variable
from watchglass_monitor.ownership import Ownership
from watchglass_monitor.packages import Packages
from watchglass_monitor.prompt import Prompt
from watchglass_monitor.repl import PyodideREPL
from watchglass_monitor.variables import VariableError, VariableMonitor
from watchglass_monitor.watch_expressions import problem_of
from watchglass_monitor.watches import Watches
from watchglass_monitor.wire import Variable

HELP_LIMIT_S = 2.0
REPR_LIMIT_S = 2.0
EXPRESSION_LIMIT_S = 2.0
RESTORE_LIMIT_S = 2.0
VERDICTS_CHARACTERS = 10 * 2**20
IDLE_ONLY = frozenset({"variable_repr", "dump", "restore"})

# Any: the arguments and results of a query are read from, and written to, a wire.
Arguments = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """What queries look at and change."""

    host: Host
    repl: PyodideREPL
    monitor: VariableMonitor
    prompt: Prompt
    interrupts: Interrupts
    ownership: Ownership
    keeper: Keeper
    send: Callable[[Message], None]
    feed: Feed
    live: Live
    watches: Watches
    packages: Packages


class BadQuery(Exception):
    """The server asked for something that there is not."""


class Queries:
    """Takes messages from the host and answers them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: deque[Message] = deque()
        self.is_idle: Callable[[], bool] = bool
        self.last: Callable[[], tuple[int, int]] = lambda: (0, 0)
        self.owner: Callable[[], int] = int  # whose the changes of this moment are
        self.frames: Callable[[], Frames] = _no_frames

    def serve(self) -> None:
        """Answer all that has come; what needs an idle interpreter waits for one."""
        while (text := self._session.host.take()) is not None:
            message = loads(text)
            if message["type"] == "input_reply":
                answer = None if message.get("eof") else message.get("text")
                self._session.prompt.answer(message["request"], answer)
            elif message["op"] in IDLE_ONLY and not self.is_idle():
                self._waiting.append(message)
            else:
                self._answer(message)

    def serve_waiting(self) -> None:
        """Nothing runs any more: answer what has waited for that."""
        while self._waiting and self.is_idle():
            self._answer(self._waiting.popleft())

    def _answer(self, message: Arguments) -> None:
        reply: Message = {"type": "reply", "request_id": message["request_id"]}
        try:
            result = self._result(message)
        except VariableError as problem:
            self._session.send({**reply, "ok": False, "error": _error(problem)})
        except BadQuery as problem:
            error = {"code": "bad_request", "message": str(problem), "hint": ""}
            self._session.send({**reply, "ok": False, "error": error})
        except DeadlineExceeded:
            raise  # of a limit around the code that was interrupted for this
        except BaseException as problem:
            error = {
                "code": "internal",
                "message": f"{message['op']} failed: {type(problem).__name__}: {problem}"[:1000],
                "hint": "Try again; if it stays, restart the session.",
            }
            self._session.send({**reply, "ok": False, "error": error})
        else:
            self._session.send({**reply, "ok": True, "result": result})

    def _result(self, message: Arguments) -> object:
        operation = getattr(self, f"_do_{message['op']}", None)
        if operation is None:
            raise BadQuery(f"There is no query {message['op']!r}.")
        try:
            return operation(message)
        except KeyError as problem:
            raise BadQuery(f"{message['op']} needs the field {problem}.") from problem

    def _do_ping(self, _: Arguments) -> object:
        return {}

    def _do_complete(self, message: Arguments) -> object:
        args = message["args"]
        code, cursor, cut = around(args["code"], args["cursor"])
        try:
            with self._session.interrupts.time_limit(HELP_LIMIT_S):
                found = complete(code, cursor, self._session.repl.namespace)
        except DeadlineExceeded:
            raise _too_slow("To find what could stand there", HELP_LIMIT_S) from None
        return found.moved(cut).as_dict()

    def _do_inspect(self, message: Arguments) -> object:
        args = message["args"]
        code, cursor, _ = around(args["code"], args["cursor"])
        try:
            with self._session.interrupts.time_limit(HELP_LIMIT_S):
                return inspect_at(code, cursor, self._session.repl.namespace).as_dict()
        except DeadlineExceeded:
            raise _too_slow("To find what stands there", HELP_LIMIT_S) from None

    def _do_is_complete(self, message: Arguments) -> object:
        return is_complete(message["args"]["code"]).as_dict()

    def _do_variables(self, message: Arguments) -> object:
        return self._session.monitor.picture(message["args"].get("offset", 0))

    def _do_variable_get(self, message: Arguments) -> object:
        args = message["args"]
        monitor = self._session.monitor
        return monitor.get(args["path"], args.get("offset", 0), args.get("limit", 100))

    def _do_view(self, message: Arguments) -> object:
        args = message["args"]
        live = self._session.live
        live.look(on=args["on"], windows=args["windows"])
        self._session.host.wake(1)  # what is open is shown at once
        return {}

    def _do_frames(self, _: Arguments) -> object:
        return self.frames()

    def _do_variable_set(self, message: Arguments) -> object:
        args = message["args"]
        session = self._session
        given = {key: args[key] for key in ("value", "expression") if key in args}

        def change() -> Variable:
            with session.interrupts.time_limit(EXPRESSION_LIMIT_S):
                return session.monitor.set(args["path"], given, args.get("if_version"))

        try:
            return {"variable": self._edit(change)}
        except DeadlineExceeded:
            raise _too_slow("The expression", EXPRESSION_LIMIT_S) from None

    def _do_variable_merge(self, message: Arguments) -> object:
        args, monitor = message["args"], self._session.monitor
        return {"variable": self._edit(lambda: monitor.merge(args["name"], args["items"]))}

    def _do_variable_delete(self, message: Arguments) -> object:
        name = message["args"]["name"]
        self._edit(lambda: self._session.monitor.delete(name))
        return {}

    def _edit(self, change: Callable[[], T]) -> T:
        """A change from outside, told before its reply; then it is time to keep it."""
        try:
            return self._session.feed.edit(self.owner(), change, running=not self.is_idle())
        finally:
            self._session.host.wake(1)

    def _do_variable_repr(self, message: Arguments) -> object:
        """The user's __repr__, run on purpose; what it prints goes nowhere."""
        session = self._session
        nowhere = io.StringIO()
        try:
            with (
                redirect_stdout(nowhere),
                redirect_stderr(nowhere),
                session.interrupts.time_limit(REPR_LIMIT_S),
            ):
                return {"text": session.monitor.repr(message["args"]["path"])}
        except DeadlineExceeded:
            raise _too_slow("Its __repr__", REPR_LIMIT_S) from None

    def _do_modules(self, message: Arguments) -> object:
        """Take in files that have changed, and say which are imported, in which version."""
        args, modules = message["args"], self._session.repl.modules
        for path in args["removed"]:
            modules.take_back(path)
        for file in args["files"]:
            modules.give(file["path"], file["version"], file["text"])
        return {"loaded": modules.loaded()}

    def _do_package(self, message: Arguments) -> object:
        """Unpack a wheel that came with this."""
        blob = self._session.host.take_blob(message["request_id"])
        if blob is None:
            raise BadQuery("package says that a wheel came, but no chunks have its request_id.")
        args = message["args"]
        self._session.packages.install(args["name"], blob.to_bytes())
        return {}

    def _do_package_lines(self, message: Arguments) -> object:
        args = message["args"]
        self._session.packages.told(
            args["request"], args["lines"], done=args["done"], ok=args.get("ok", False)
        )
        for name in args.get("removed", ()):
            self._session.packages.remove(name)
        return {}

    def _do_watch_check(self, message: Arguments) -> object:
        """What is wrong with each of these sources, by the name that it was sent under."""
        problems = {name: problem_of(source) for name, source in message["args"].items()}
        return {"problems": {name: problem for name, problem in problems.items() if problem}}

    def _do_watches(self, message: Arguments) -> object:
        self._session.watches.set(message["args"]["watches"])
        self._session.host.wake(1)
        return {}

    def _do_dump(self, _: Arguments) -> object:
        number, owner = self.last()
        self._session.keeper.dump(number, owner, self._session.feed.total)
        return {}

    def _do_restore(self, message: Arguments) -> object:
        session = self._session
        args = message["args"]
        codes = {int(each["number"]): each["code"] for each in args["history"]}
        verdicts: list[Message] = []
        if args["has_blob"]:
            verdicts = self._load(message["request_id"])
        session.repl.restore(codes)
        picture = session.monitor.first_picture()
        session.feed.forget(each["name"] for each in picture["variables"])
        session.host.wake(1)  # what the reply has no room for follows as changes
        return {**picture, "verdicts": list(_first_verdicts(verdicts))}

    def _load(self, request_id: int) -> list[Message]:
        session = self._session
        blob = session.host.take_blob(request_id)
        if blob is None:
            raise BadQuery("restore says has_blob, but no chunks came with its request_id.")
        namespace = session.repl.namespace

        def limit() -> AbstractContextManager[None]:
            return session.interrupts.time_limit(RESTORE_LIMIT_S)

        found = load(blob.to_bytes(), namespace, time_limit=limit)
        session.monitor.versions.update(found.versions)
        defined = define_again(found.sources, namespace, limit)
        return [
            {"name": each.name, "verdict": each.verdict, "why": each.why}
            for each in (*found.verdicts, *defined)
            if each.name not in KEPT_NAMES
        ]


def _no_frames() -> Frames:
    return {"frames": [], "omitted": 0}


def names_to_keep(namespace: Mapping[str, object]) -> list[str]:
    """The variables that a dump holds, with the results of earlier executions."""
    return [*filter(is_variable, namespace), *KEPT_NAMES]


def _first_verdicts(verdicts: list[Message]) -> Iterator[Message]:
    """As many as the reply has room for beside its picture, those of what is lost first."""
    room = VERDICTS_CHARACTERS
    for verdict in sorted(verdicts, key=lambda verdict: verdict["verdict"] != "lost"):
        # A character takes up to six in JSON.
        room -= 60 + 6 * (len(str(verdict["name"])) + len(str(verdict["why"] or "")))
        if room < 0:
            return
        yield verdict


def _too_slow(what: str, seconds: float) -> VariableError:
    return VariableError(
        "timeout",
        f"{what} took longer than {seconds:g} s.",
        "Run it as an execution: that can take as long as it needs and can be interrupted.",
    )


def _error(problem: VariableError) -> Message:
    error: Message = {
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }
    if problem.variable is not None:
        error["variable"] = problem.variable
    return error
