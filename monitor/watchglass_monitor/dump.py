"""Namespace -> bytes from which another interpreter makes it again."""

import functools
import gc
import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Literal, TypeGuard

from watchglass_monitor.dump_format import CODE_VERSION, Header, encode
from watchglass_monitor.flattening import Contents, empty_shell, shells_in
from watchglass_monitor.found_path import find_path
from watchglass_monitor.origin import Origin, makes_itself
from watchglass_monitor.pickling import VOCABULARY_NAMES, NamespacePickler, Reducers
from watchglass_monitor.plain_text import safe_repr
from watchglass_monitor.unstorable import NotStorable, Refusal, explain

Kind = Literal["value", "definition", "module"]
TimeLimit = Callable[[], AbstractContextManager[object]]
OUT = "Out"
# A name, or the name and key of one result.
Label = str | tuple[str, object]
NO_NAME = ""  # labels what belongs to no variable alone
# Copying the memo before a variable is cheap up to here, and makes a failure cheap too.
_CHEAP_BYTES = 64 * 1024
_DEFINITIONS = (type, FunctionType, BuiltinFunctionType, functools._lru_cache_wrapper)
_ORDER: dict[Kind, int] = {"module": 0, "definition": 1, "value": 2}


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one variable."""

    name: str
    stored: bool
    why: str | None
    kind: Kind
    resource: bool = False

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Dump:
    """The bytes, and what is in them."""

    data: bytes
    entries: list[Entry]


def dump(
    namespace: dict[str, object], names: Iterable[str], *, versions: Mapping[str, int]
) -> Dump:
    """Store the variables `names` of `namespace`."""
    return Dumper().dump(namespace, names, versions=versions)


class Dumper:
    """Stores namespaces, and remembers which names could not be stored."""

    def __init__(self, time_limit: TimeLimit = nullcontext) -> None:
        self._time_limit = time_limit
        self._suspects: set[Label] = set()
        self._slow: dict[Label, _Slow] = {}

    def dump(
        self, namespace: dict[str, object], names: Iterable[str], *, versions: Mapping[str, int]
    ) -> Dump:
        """Store the variables `names`; one that cannot be stored does not spoil the others."""
        present = [name for name in names if name in namespace]
        kinds: dict[str, Kind] = {name: kind_of(namespace[name]) for name in present}
        refused: dict[Label, Refusal] = {}
        while True:
            writing = _Writing(namespace, self._time_limit)
            try:
                if not self._write(writing, present, kinds, refused):
                    return self._finished(writing, present, kinds, refused, versions)
            finally:
                writing.close()

    def _finished(
        self,
        writing: "_Writing",
        present: list[str],
        kinds: Mapping[str, Kind],
        refused: dict[Label, Refusal],
        versions: Mapping[str, int],
    ) -> Dump:
        """All is written: put the header before it."""
        self._suspects = set(refused)
        entries = [_entry(name, kinds[name], refused.get(name)) for name in present]
        header = Header(
            code_version=CODE_VERSION,
            vocabulary=VOCABULARY_NAMES,
            records=writing.records,
            names=tuple(present),
            entries=tuple((e.name, e.stored, e.why, e.kind, e.resource) for e in entries),
            versions={name: versions[name] for name in present if name in versions},
        )
        return Dump(encode(header, writing.file.getbuffer()), entries)

    def _write(
        self,
        writing: "_Writing",
        names: list[str],
        kinds: Mapping[str, Kind],
        refused: dict[Label, Refusal],
    ) -> bool:
        """Write all; true if one spoiled the memo and the others must be written again."""
        suspects = self._suspects
        spoiled_before = any(label not in suspects for label in refused)
        for label, value in self._in_order(writing.namespace, names, kinds):
            if (wait := self._slow.get(label)) is not None and wait.goes_on(value):
                refused[label] = wait.refusal
                continue
            # Careful costs a copy of the memo, careless costs a new start if it goes wrong.
            is_cheap = writing.size < _CHEAP_BYTES or spoiled_before
            careful = is_cheap or label in suspects or label in refused
            problem = writing.write(label, value, careful=careful)
            if problem is None:
                refused.pop(label, None)
                self._slow.pop(label, None)
                continue
            refused[label] = problem
            if problem.took_too_long:
                self._slow[label] = _Slow(value, problem, self._slow.get(label))
            if not careful:
                return True
        return False

    def _in_order(
        self, namespace: dict[str, object], names: list[str], kinds: Mapping[str, Kind]
    ) -> list[tuple[Label, object]]:
        """What others need first; what failed before last, when it can spoil the least."""
        labelled: list[tuple[Label, object]] = []
        for name in sorted(names, key=lambda name: _ORDER[kinds[name]]):
            value = namespace[name]
            if name == OUT and _is_results(value):
                # One by one, so that a result that cannot be stored does not cost the others.
                labelled += [((OUT, key), result) for key, result in value.items()]
            else:
                labelled.append((name, value))
        return sorted(labelled, key=lambda each: each[0] in self._suspects)


class _Slow:
    """A value that took too long: it is tried again, but less and less often."""

    def __init__(self, value: object, refusal: Refusal, before: "_Slow | None") -> None:
        self.refusal = refusal
        self._identity = id(value)  # not the value, which may be let go of
        self._pause: int = 2 * before._pause if before and before._identity == id(value) else 1
        self._left = self._pause

    def goes_on(self, value: object) -> bool:
        """Is it still too early to try `value` again?"""
        self._left -= 1
        return id(value) == self._identity and self._left >= 0


class _Writing:
    """One try at writing a dump."""

    def __init__(self, namespace: dict[str, object], time_limit: TimeLimit) -> None:
        self.namespace = namespace
        self.file = io.BytesIO()
        self.records = 0
        self.ran_out = False
        self._time_limit = time_limit
        self._reducers = Reducers(Origin(namespace))
        self._pickler = NamespacePickler(self.file, self._reducers)
        self._pickler.start()

    @property
    def size(self) -> int:
        return self.file.tell()

    def close(self) -> None:
        """Give all memory back at once: a traceback may hold this for longer."""
        self._pickler.forget()
        self.file.close()
        if self.ran_out:
            gc.collect()  # what failed is in circles with its traceback, and nothing is to spare

    def write(self, label: Label, value: object, *, careful: bool) -> Refusal | None:
        """Write one variable, or say why not; only a careful write leaves no trace then."""
        memo = self._after(self._pickler) if careful else None
        start = self.file.tell()
        problem = self._try(self._dump, label, value)
        if isinstance(problem, RecursionError) and memo is not None:
            self._go_back(start, memo)
            problem = self._try(self._dump_flat, label, value)
        if problem is None:
            return None
        refusal = self._refusal(label, value, problem)
        # Its traceback holds frames with the value in them, and the last MemoryError of an
        # interpreter that has no memory for another one lives for ever.
        problem.__traceback__ = None
        if memo is not None:
            self._go_back(start, memo)
        return refusal

    def _try(
        self, write: Callable[[Label, object], None], label: Label, value: object
    ) -> BaseException | None:
        try:
            with self._time_limit():
                write(label, value)
        except BaseException as problem:
            self.ran_out = self.ran_out or isinstance(problem, MemoryError)
            if self.file.closed:  # it could not grow, and has lost what it held
                raise MemoryError from problem
            # From code of the user's, or from the time limit: it costs this variable only.
            return problem
        return None

    def _go_back(self, start: int, memo: NamespacePickler) -> None:
        self.file.seek(start)
        self.file.truncate()
        self._pickler.forget()
        self._pickler = self._after(memo)

    def _dump(self, label: Label, value: object) -> None:
        self._pickler.dump((label, value))
        self.records += 1

    def _dump_flat(self, label: Label, value: object) -> None:
        """Write empty objects, let the memo take them for the real ones, then fill them."""
        memo: dict[int, tuple[int, object]] = self._pickler.memo.copy()
        shells = shells_in(value, memo.keys(), self._is_plain)
        empty = [empty_shell(each) for each in shells]
        self._pickler.dump((NO_NAME, empty))
        memo = self._pickler.memo.copy()
        for shell, stand_in in zip(shells, empty, strict=True):
            # In place of it, not beside it: the number of entries is the next index.
            memo[id(shell)] = (memo.pop(id(stand_in))[0], shell)
        self._pickler.memo = memo
        self._pickler.dump((NO_NAME, Contents(shells)))
        self._pickler.dump((label, value))
        self.records += 3

    def _is_plain(self, cls: type) -> bool:
        """Is what a dump holds of an instance just its attributes?"""
        origin = self._reducers.origin
        if self._reducers[cls] is not None or not origin.defined_here(cls):
            return False
        custom = ("__getstate__", "__setstate__", "__getnewargs__", "__getnewargs_ex__")
        return not origin.own_hooks(cls, *custom) and not makes_itself(cls)

    def _after(self, other: NamespacePickler) -> NamespacePickler:
        pickler = NamespacePickler(self.file, self._reducers)
        pickler.memo = other.memo
        return pickler

    def _refusal(self, label: Label, value: object, problem: BaseException) -> Refusal:
        culprit = problem.culprit if isinstance(problem, NotStorable) else self._pickler.latest
        name = label if isinstance(label, str) else f"{label[0]}[{safe_repr(label[1])}]"
        try:
            # str(problem) is code of the user's too.
            with self._time_limit():
                path = "" if _is_depth(problem) else find_path(name, value, culprit)
                return explain(problem, path, culprit)
        except BaseException as second:
            return Refusal(f"storing it raised {type(problem).__name__} ({type(second).__name__})")


def _is_results(value: object) -> TypeGuard[dict[int, object]]:
    return type(value) is dict and all(type(key) is int for key in value)


def _is_depth(problem: BaseException) -> bool:
    return isinstance(problem, RecursionError | MemoryError)


def kind_of(value: object) -> Kind:
    """A module, a function or class, or anything else."""
    if isinstance(value, ModuleType):
        return "module"
    return "definition" if isinstance(value, _DEFINITIONS) else "value"


def _entry(name: str, kind: Kind, refusal: Refusal | None) -> Entry:
    if refusal is None:
        return Entry(name, True, None, kind)
    return Entry(name, False, refusal.why, kind, refusal.resource)
