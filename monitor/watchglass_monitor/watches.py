"""Watches: expressions evaluated at safe points within a budget, told when they give another."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from contextvars import Context
from dataclasses import dataclass
from io import StringIO
from time import monotonic
from typing import Any

from .deadline import DeadlineExceeded
from .host import Message
from .summary import summary
from .watch_expressions import Compiled, compiled, words
from .watcher import user_line

INTERVAL_S = 0.25
LIMIT_S = 0.05  # for one evaluation
SHARE = 0.02  # of the time, for all of them, while code runs
IDLE_SHARE = 0.2  # nobody waits then, but an execution may come
END_BUDGET_S = 0.02
MAX_NAME = 200
TOO_LONG = f"It took longer than {LIMIT_S * 1000:g} ms, and is tried less often now."

AT_LIMIT = frozenset({"RecursionError", "MemoryError"})

TimeLimit = Callable[[float], AbstractContextManager[None]]
Send = Callable[[Message], None]


@dataclass(eq=False, slots=True)
class _Watch:
    """One watch, what was told of it last, and what that cost; holds no object of the user's."""

    watch: str
    expression: str
    condition: str | None
    code: Compiled | None = None
    told: Message | None = None
    is_stale: bool = True  # something may have changed since
    ended_at: float = 0.0
    cost_s: float = 0.0


class Watches:
    """Evaluates the session's watches in its namespace, beside every execution."""

    def __init__(
        self, namespace: dict[str, Any], context: Context, time_limit: TimeLimit, send: Send
    ) -> None:
        self.evaluating = False
        self._context = context
        self._namespace = namespace
        self._time_limit = time_limit
        self._send = send
        self._watches: dict[str, _Watch] = {}
        self._seen: object = None
        self.changes: Callable[[], object] = bool  # another one when something may have changed

    def set(self, listed: Iterable[Mapping[str, Any]]) -> None:
        """The watches are now these; those that are known go on."""
        known = self._watches
        made = [_Watch(each["watch"], each["expression"], each.get("condition")) for each in listed]
        self._watches = {watch.watch: known.get(watch.watch, watch) for watch in made}

    def show(self, owner: int) -> None:
        """Code runs, or waits: evaluate what is due, and tell what has changed."""
        if not self._watches:
            return
        now = monotonic()
        due = [each for each in self._watches.values() if now >= self._due_at(each, SHARE)]
        for watch in due:
            watch.is_stale = True
        self._evaluate(owner, due, running=True)

    def finish(self, owner: int) -> None:
        """An execution has ended: those that are quick at once, the others when nothing runs."""
        if not self._watches:
            return
        self._seen, now = self.changes(), monotonic()
        for watch in self._watches.values():
            watch.is_stale = True
        quick = [
            each
            for each in self._watches.values()
            if each.cost_s < END_BUDGET_S / len(self._watches) or now >= self._due_at(each, SHARE)
        ]
        self._evaluate(owner, quick, running=False, budget_s=END_BUDGET_S)

    def when_idle(self, owner: int) -> float:
        """Evaluate what is stale; how many milliseconds until there is more to do, or 0."""
        if not self._watches:
            return 0
        seen = self.changes()
        if seen != self._seen:
            self._seen = seen
            for watch in self._watches.values():
                watch.is_stale = True
        now = monotonic()
        stale = [each for each in self._watches.values() if each.is_stale]
        due = [each for each in stale if now >= self._due_at(each, IDLE_SHARE)]
        self._evaluate(owner, due, running=False)
        waits = [self._due_at(each, IDLE_SHARE) for each in stale if each.is_stale]
        return max(1.0, (min(waits) - monotonic()) * 1000) if waits else 0

    def _due_at(self, watch: _Watch, share: float) -> float:
        """Each has its part of the share, so that a slow one makes none of the others late."""
        pause = watch.cost_s * len(self._watches) / share
        return watch.ended_at - watch.cost_s + max(INTERVAL_S, pause)

    def _evaluate(
        self, owner: int, due: list[_Watch], *, running: bool, budget_s: float = LIMIT_S
    ) -> None:
        if not due or self.evaluating:
            return
        changed: list[tuple[_Watch, Message]] = []
        end = monotonic() + budget_s
        with self._aside():
            for watch in sorted(due, key=lambda each: each.ended_at):
                if monotonic() >= end:
                    break
                seen = self._look(watch, running=running)
                if seen is not None and seen != watch.told:
                    changed.append((watch, seen))
        if changed:
            self._tell(owner, changed, user_line(sys._getframe()) if running else None)

    def _tell(self, owner: int, changed: list[tuple[_Watch, Message]], line: int | None) -> None:
        told = [seen for _, seen in changed]
        self._send({"type": "watches", "request_id": owner, "line": line, "watches": told})
        for watch, seen in changed:  # only now: without memory it may not have been sent
            watch.told = seen

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """What is printed, displayed or asked for in the body goes nowhere."""
        nowhere = StringIO()
        self.evaluating = True
        try:
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                yield
        finally:
            self.evaluating = False

    def _look(self, watch: _Watch, *, running: bool) -> Message | None:
        """What it gives now; None when it is not the watch that came to a limit."""
        began = monotonic()
        seen = self._seen_of(watch)
        watch.ended_at = monotonic()
        watch.cost_s = watch.ended_at - began
        if running and seen["error"] in AT_LIMIT:
            return None  # perhaps the code that runs, in which it is evaluated
        watch.is_stale = False
        return seen

    def _seen_of(self, watch: _Watch) -> Message:
        """What it gives, or why it gives nothing."""
        seen: Message = {"watch": watch.watch, "variable": None, "error": None}
        seen |= {"met": None, "condition_error": None}
        try:
            with self._time_limit(LIMIT_S):
                self._context.copy().run(self._value_of, watch, seen)
        except DeadlineExceeded:
            return {**seen, "variable": None, "met": None, "error": TOO_LONG}
        except BaseException as problem:  # whatever it raises is told, and ends nothing
            problem.__traceback__ = None  # it would keep the frames' variables alive
            at_limit = isinstance(problem, (RecursionError, MemoryError))
            error = type(problem).__name__ if at_limit else words(problem)
            return {**seen, "variable": None, "error": error}
        return seen

    def _value_of(self, watch: _Watch, seen: Message) -> None:
        if watch.code is None:
            watch.code = compiled(watch.expression, watch.condition)
        value = eval(watch.code.expression, self._namespace)
        variable = summary(watch.expression.strip()[:MAX_NAME], value, 0, settable=False)
        variable.pop("hidden", None)
        seen["variable"] = {**variable, "expandable": False}
        if watch.code.condition is None:
            return
        try:
            seen["met"] = bool(eval(watch.code.condition, self._namespace)(value))
        except (DeadlineExceeded, RecursionError, MemoryError):
            raise
        except BaseException as problem:
            problem.__traceback__ = None
            seen["condition_error"] = words(problem)
