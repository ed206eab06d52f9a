"""VariableMonitor: what the variables are, what changed since last time, and how to set them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from gc import disable, enable, isenabled
from io import StringIO
from itertools import islice
from json import JSONEncoder
from time import perf_counter
from typing import Any, TypeAlias

from .children import children, count_children
from .diff import Mark, difference, difference_of
from .host import NativeWatcher
from .ladder import choose_watcher
from .marks import mark
from .namespace import OWN_NAMES, is_bindable, is_variable
from .native_fingerprint import NativeFingerprints
from .paths import (
    Path,
    VariableError,
    check_settable,
    not_settable,
    parse_path,
    resolve,
    write,
)
from .previews import preview
from .reading import type_name
from .scanner import Scanner
from .summary import summary
from .values import ValueMistake, decode
from .watcher import PollingWatcher, Stores, Watcher, WatcherUnavailable
from .wire import JSON, Change, Child, GetResult, Picture, Variable

MAX_CHILDREN = 1000
MAX_VARIABLES = 10_000
# So many more names than twice those that are told are not compared one by one.
CROWD = 10_000
MAX_EXPRESSION = 64 * 1024
MAX_REPR = 1024 * 1024
MAX_PICTURE = 4 * 1024 * 1024
# Everything is compared this often even when the watcher says that nothing was stored: it heals
# what user code did to the watcher on purpose.
_FULL_COMPARISON_S = 5.0
_CHECK_S = 0.002
# Comparing all names may take one fiftieth of the time of code that stores without end.
_COMPARISON_DUTY = 50
# A watcher that misses more stores than these is not the right one.
MISSES_AT_MOST = 1

_write = JSONEncoder(separators=(",", ":")).encode

# Exactly one of {"value": tagged JSON} and {"expression": Python}.
Assignment: TypeAlias = dict[str, Any]


class VariableMonitor:
    """Watches one namespace. Not reentrant: a call during another finds and changes nothing.

    `most` says how many variables are told; further ones are counted, until there is room.
    `versions` counts the changes of every name; it may be filled before the first `collect`, so
    that counting goes on after a restore.
    """

    def __init__(
        self,
        namespace: dict[str, Any],
        hidden: frozenset[str] = OWN_NAMES,
        native: NativeWatcher | None = None,
        fingerprints: NativeFingerprints | None = None,
        most: Callable[[], float] = lambda: MAX_VARIABLES,
    ) -> None:
        self.versions: dict[str, int] = {}
        self._namespace = namespace
        self._native = native
        self._own_names = hidden
        self._watcher: Watcher = PollingWatcher()
        self._is_chosen = False
        self._marks: dict[str, Mark] = {}
        self._known: dict[str, Variable] = {}
        self._dirty: dict[str, int | None] = {}
        self._pending: list[Change] = []
        self._most = most
        # The names that are told; the other ones with a mark are left out.
        self._told: dict[str, None] = {}
        # How many more there are than have a mark, and how many names are no variables.
        self._crowd = 0
        self._others = 0
        self._scanner = Scanner(fingerprints)
        self._next_comparison = 0.0
        self._misses = 0
        # A storm of stores, of which not all names are known, that was not compared yet.
        self._owes_all = False
        self._compare_after = 0.0
        self._is_busy = False

    @property
    def rung(self) -> str:
        """How stores are noticed: by one of the rungs of `ladder.py`."""
        return self._watcher.rung

    @property
    def left_out(self) -> int:
        """How many variables are not told, for there are too many."""
        return len(self._marks) - len(self._told) + self._crowd

    @property
    def unfinished(self) -> bool:
        """Whether another `collect` at once would go on with what the budget cut off."""
        return bool(self._dirty) or self._scanner.unfinished

    def start(self) -> None:
        """Chooses and arms the watcher; cheap when that is done already."""
        is_first = not self._is_chosen
        if is_first:
            self._watcher = choose_watcher(self._namespace, self._native)
            self._is_chosen = True
        try:
            self._watcher.arm()
        except WatcherUnavailable:
            self._step_down()
        if is_first and not self._is_busy:
            # What was stored before is compared now: the lines of what comes are told from here on.
            with self._undisturbed():
                self._all_bound()
                self._notice_bindings(scan=False)

    def stop(self) -> None:
        """Takes the watcher away, as an image of the process needs; `start` tests and arms anew."""
        self._watcher.clear()
        self._is_chosen = False

    def _step_down(self) -> None:
        """The watcher has failed: takes the next one that works."""
        while type(self._watcher) is not PollingWatcher:
            failed = self._watcher.rung
            with suppress(Exception):
                self._watcher.clear()
            self._watcher = choose_watcher(self._namespace, self._native, below=failed)
            with suppress(WatcherUnavailable):
                self._watcher.arm()
                return

    @property
    def owes(self) -> bool:
        """Whether a large value is not looked at to its end yet; it takes only so much time."""
        return self._scanner.owes

    def rest(self) -> None:
        """No code runs: only what is unfinished is looked at."""
        self._scanner.rest()

    def wake(self) -> None:
        """Code runs."""
        self._scanner.wake()

    def has_changes(self) -> bool:
        """Whether a store was noticed, or a change is waiting, since the last `collect`."""
        return bool(self._pending or self._dirty or self._owes_all) or self._watcher.has_stores()

    def collect(self, *, scan: bool, budget_ms: float = 2.0, hurried: bool = False) -> list[Change]:
        """What changed since the last call; with `scan` also what was changed in place.

        `hurried`: code runs that shall not wait, what may be told later is told later.
        """
        if self._is_busy or not (scan or self.has_changes()):
            return []
        deadline = perf_counter() + budget_ms / 1000
        with self._undisturbed():
            self._notice_bindings(scan, hurried=hurried)
            self._describe_dirty(deadline)
            if scan and not self._dirty:
                self._scan(deadline)
            changes, self._pending = self._pending, []
        return changes

    def snapshot(self, include_hidden: bool = True) -> list[Variable]:
        """All variables as they are now."""
        with self._undisturbed():
            self._notice_bindings(scan=True)
            variables = [self._summary(name) for name in self._names()]
        return [each for each in variables if include_hidden or "hidden" not in each]

    def picture(self, offset: int = 0) -> Picture:
        """All variables from the one at `offset` on, as many as one message holds."""
        with self._undisturbed():
            self._notice_bindings(scan=True)
            names = self._names()
            return {"variables": self._first(names[offset:], self._summary), "total": len(names)}

    def first_picture(self) -> Picture:
        """A picture that tells of its variables; `collect` tells of those that did not fit."""
        with self._undisturbed():
            self._notice_bindings(scan=True)
            names = self._names()
            told = self._first(names, self._present)
            known = {each["name"] for each in told}
            self._pending = [change for change in self._pending if change["name"] not in known]
        return {"variables": told, "total": len(names)}

    def get(self, path: object, offset: int = 0, limit: int = 100) -> GetResult:
        """The value at a path, and a window of its children."""
        where = parse_path(path)
        if offset < 0 or not 0 <= limit <= MAX_CHILDREN:
            raise VariableError(
                "bad_request", f"offset must be from 0, limit from 0 to {MAX_CHILDREN}",
                "Ask for a window of the children.",
            )  # fmt: skip
        entry = resolve(self._value(where.name), where)
        version = self.versions.get(where.name, 0)
        listed: list[Child] = [
            {
                **summary(child.label[:200], child.value, version, child.settable),
                "key": child.element,
                "label": child.label,
            }
            for child in children(entry.value, offset, limit)
        ]
        return {
            "variable": summary(entry.label, entry.value, version, entry.settable),
            "children": listed,
            "total": count_children(entry.value),
        }

    def set(self, path: object, assignment: Assignment, if_version: int | None = None) -> Variable:
        """Sets what is at a path to a value or to what an expression gives."""
        where = parse_path(path)
        self._refuse_when_busy()
        self._check_version(where, if_version)
        if not where.steps:
            if not is_bindable(where.name, self._own_names):
                raise not_settable(where, "it is no name that code could assign to")
            self._namespace[where.name] = self._evaluate(assignment)
            return self._changed(where.name)
        parent = resolve(self._value(where.name), where.parent).value
        check_settable(where, parent)
        write(where, parent, self._evaluate(assignment))
        return self._changed(where.name)

    def merge(self, name: str, items: object) -> Variable:
        """Sets some items of a variable that is a dict, all in one step."""
        where = parse_path([name])
        self._refuse_when_busy()
        value = self._value(name)
        news = self._evaluate({"value": items})
        if type(value) is not dict or type(news) is not dict:
            raise not_settable(where, "it is no dict")
        value.update(news)
        return self._changed(name)

    def delete(self, name: str) -> None:
        """Unbinds a variable."""
        self._refuse_when_busy()
        self._value(name)
        del self._namespace[name]
        with self._undisturbed():
            self._notice_bindings(scan=False, suspects={name: None})

    def repr(self, path: object) -> str:
        """The full `repr`, which runs the object's own code: only on purpose, with a deadline."""
        where = parse_path(path)
        value = resolve(self._value(where.name), where).value
        with redirect_stdout(StringIO()):
            try:
                text = str.__str__(repr(value))
            except Exception as problem:
                return f"<its repr raised {preview(problem)}>"
        hidden = len(text) - MAX_REPR
        return text if hidden <= 0 else f"{text[:MAX_REPR]}… {hidden:,} more characters"

    def _names(self) -> list[str]:
        return [name for name in self._told if name in self._namespace]

    def _summary(self, name: str) -> Variable:
        """A variable as it is now; its change is told later, with the version given here."""
        return self._summarised(name, self.versions.get(name, 0) + (name in self._dirty))

    def _summarised(self, name: str, version: int) -> Variable:
        variable = summary(name, self._namespace[name], version)
        if self._scanner.is_truncated(name):
            variable["truncated"] = True
        return variable

    def _present(self, name: str) -> Variable:
        """A variable as it is now, and known to be so from here on."""
        if name in self._dirty or name not in self._known:
            self._describe(name)
        return self._known[name]

    def _first(self, names: list[str], describe: Callable[[str], Variable]) -> list[Variable]:
        """As many variables as there is room for."""
        described: list[Variable] = []
        room = MAX_PICTURE
        for name in names:
            variable = describe(name)
            room -= len(_write(variable)) + 2
            if room < 0 and described:
                break
            described.append(variable)
        return described

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """No collection of garbage, which runs `__del__`, and no second call in the meantime."""
        was_enabled = isenabled()
        disable()
        self._is_busy = True
        try:
            yield
        finally:
            self._is_busy = False
            if was_enabled:
                enable()

    def _refuse_when_busy(self) -> None:
        if self._is_busy:
            raise VariableError(
                "busy", "The variables are being looked at.", "Try again in a moment."
            )

    def _value(self, name: str) -> object:
        if not is_variable(name, self._own_names) or name not in self._namespace:
            raise VariableError(
                "variable_not_found", f"There is no variable {preview(name)}.",
                "It may have been deleted: look at the list of variables.",
            )  # fmt: skip
        return self._namespace[name]

    def _notice_bindings(
        self, scan: bool, suspects: dict[str, None] | None = None, *, hurried: bool = False
    ) -> None:
        if scan and self._is_chosen:
            self.start()  # the user's code may have cleared the watcher
        stores = self._drain()
        names = {**(suspects or {}), **stores.names}
        self._owes_all |= stores.everything
        now = perf_counter()
        is_due = now >= self._next_comparison
        if self._owes_all and not (hurried and now < self._compare_after):
            stores.everything = True
            self._compare_all(stores)
            end = perf_counter()
            self._compare_after = end + (end - now) * _COMPARISON_DUTY
            self._owes_all = False
        elif scan and (is_due or not self._watcher.complete):
            self._compare_all(stores)
        elif names:
            self._compare(stores, names)
        if self.left_out:
            self._fill()

    def _fill(self) -> None:
        """Tell of some that were left out, as far as there is room now."""
        room = int(self._most()) - len(self._told)
        if room <= 0:
            return
        for name in islice((each for each in self._marks if each not in self._told), room):
            if name in self._namespace:
                self._tell(name, None)

    def _drain(self) -> Stores:
        try:
            return self._watcher.drain()
        except (MemoryError, RecursionError):
            raise  # at their limit because of the user's code
        except Exception:
            self._step_down()
            return Stores(everything=True)

    def _compare_all(self, stores: Stores) -> None:
        """Any name may have changed. The list is made at one go, before anything else can run."""
        self._next_comparison = perf_counter() + _FULL_COMPARISON_S
        bound = self._all_bound()
        after = {name: mark(value) for name, value in bound.items()}
        found = difference(self._marks, after)
        told = [name for name in stores.names if name in after] if self._watcher.complete else []
        if stores.everything or not self._watcher.complete:
            self._scanner.suspect(after)
        for name in {**dict.fromkeys(found.bound), **dict.fromkeys(told)}:
            line = None if stores.everything else stores.names.get(name)
            self._bound(name, bound[name], after[name], line)
        for name in found.unbound:
            self._unbound(name, None if stores.everything else stores.names.get(name))
        told_all = stores.names.keys() >= {*found.bound, *found.unbound}
        if not (told_all or stores.everything or self._watcher.has_stores()):
            self._missed()

    def _all_bound(self) -> dict[str, object]:
        """All variables; in a crowd, of which most are left out, only those that are told."""
        names, most = self._namespace, int(self._most())
        if len(names) <= 2 * most + CROWD:
            bound = {
                name: value
                for name, value in list(names.items())
                if is_variable(name, self._own_names)
            }
            self._others, self._crowd = len(names) - len(bound), 0
            return bound
        bound = {name: names[name] for name in self._told if name in names}
        for name, value in list(names.items()):
            if len(bound) >= most:
                break
            if is_variable(name, self._own_names):
                bound[name] = value
        self._crowd = len(names) - self._others - len(bound)
        return bound

    def _missed(self) -> None:
        """A store was not noticed. Once may be what the user's code did to the watcher."""
        self._misses += self._watcher.complete
        if self._misses > MISSES_AT_MOST:
            self._misses = 0
            self._step_down()

    def _compare(self, stores: Stores, names: dict[str, Any]) -> None:
        """Only these names were stored; none of the others is looked at."""
        bound = {
            name: self._namespace[name]
            for name in names
            if is_variable(name, self._own_names) and name in self._namespace
        }
        after = {name: mark(value) for name, value in bound.items()}
        found = difference_of(self._marks, after, names)
        # A complete watcher tells of stores of another object only, so these are changes even when
        # the name is bound to what it was before: it was something else in between.
        told = [name for name in stores.names if name in after] if self._watcher.complete else []
        for name in {**dict.fromkeys(found.bound), **dict.fromkeys(told)}:
            self._bound(name, bound[name], after[name], stores.names.get(name))
        for name in found.unbound:
            self._unbound(name, stores.names.get(name))

    def _bound(self, name: str, value: object, its_mark: Mark, line: int | None) -> None:
        is_told = name in self._told or len(self._told) < self._most()
        if is_told or not self._crowd:
            self._marks[name] = its_mark
        if is_told:
            self._tell(name, line)

    def _tell(self, name: str, line: int | None) -> None:
        self._told[name] = None
        self._dirty[name] = line
        self._scanner.bound(name, self._namespace[name])

    def _unbound(self, name: str, line: int | None) -> None:
        self._marks.pop(name, None)
        self._told.pop(name, None)
        self._dirty.pop(name, None)
        self._scanner.forget(name)
        if self._known.pop(name, None) is not None:
            self.versions[name] = self.versions.get(name, 0) + 1
            self._pending.append({"op": "delete", "name": name, "line": line})

    def _describe_dirty(self, deadline: float) -> None:
        for name in list(self._dirty):
            self._describe(name)
            if perf_counter() >= deadline:
                return

    def _describe(self, name: str) -> None:
        line = self._dirty.pop(name, None)
        if name not in self._namespace:
            return  # deleted since; the watcher has told of it, and the next call will
        self.versions[name] = self.versions.get(name, 0) + 1
        variable = self._summarised(name, self.versions[name])
        self._known[name] = variable
        self._pending.append({"op": "set", "name": name, "variable": variable, "line": line})

    def _scan(self, deadline: float) -> None:
        for found in self._scanner.scan(self._namespace, deadline):
            if found.certain or self._looks_different(found.name):
                self._describe(found.name)

    def _looks_different(self, name: str) -> bool:
        """Whether a variable changed between its description and the first walk over it."""
        known = self._known.get(name)
        if known is None or name not in self._namespace:
            return known is None
        return self._summarised(name, known["version"]) != known

    def _check_version(self, path: Path, if_version: int | None) -> None:
        if if_version is None:
            return
        value = self._value(path.name)
        with self._undisturbed():
            self._notice_bindings(scan=False, suspects={path.name: None})
            if (
                path.name in self._told
                and path.name not in self._dirty
                and self._scanner.check(path.name, value, perf_counter() + _CHECK_S)
            ):
                self._dirty[path.name] = None
            if path.name in self._dirty:
                self._describe(path.name)
        if self.versions.get(path.name, 0) != if_version:
            raise VariableError(
                "conflict", f"{path.name} was changed in the meantime.",
                "Look at its present state, and set it again.",
                summary(path.name, value, self.versions.get(path.name, 0)),
            )  # fmt: skip

    def _evaluate(self, assignment: Assignment) -> object:
        hint = "Send a JSON value, with $type tags where JSON cannot say it, or an expression."
        if assignment.keys() == {"value"}:
            try:
                return decode(assignment["value"])
            except ValueMistake as mistake:
                raise VariableError("bad_request", str(mistake), hint) from None
        expression = assignment.get("expression")
        if assignment.keys() != {"expression"} or type(expression) is not str:
            raise VariableError("bad_request", "either value or expression must be there", hint)
        if len(expression) > MAX_EXPRESSION:
            raise VariableError("too_large", "expression is longer than 64 KiB", "Execute it.")
        try:
            return eval(compile(expression.strip(), "<expression>", "eval"), self._namespace)
        except (Exception, SystemExit) as problem:
            kind = type_name(type(problem))
            raise VariableError(
                "bad_request", f"expression raised {preview(problem)}",
                f"Correct the expression; this {kind} is what it raised.",
            ) from None  # fmt: skip

    def _changed(self, name: str) -> Variable:
        """The present state of a variable that we have just changed ourselves."""
        with self._undisturbed():
            self._notice_bindings(scan=False, suspects={name: None})
            if name in self._told:
                self._scanner.bound(name, self._namespace[name])
                self._describe(name)
            elif name in self._namespace:
                return self._summary(name)
        known = self._known.get(name)
        if known is None:
            raise VariableError(
                "variable_not_found", f"{name} was deleted while it was set.", "Set it again."
            )
        return known


__all__ = ["JSON", "Assignment", "VariableError", "VariableMonitor"]
