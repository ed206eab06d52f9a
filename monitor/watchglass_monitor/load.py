"""Bytes of a dump -> variables in the namespace, with a verdict for each."""

import _pickle
import builtins
import gc
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Literal

from watchglass_monitor.careful_load import CarefulUnpickler, Failures
from watchglass_monitor.dump import NO_NAME, OUT, TimeLimit
from watchglass_monitor.dump_format import CODE_VERSION, DumpDamaged, Header, decode
from watchglass_monitor.pickling import BUILTINS, NAMESPACE, VOCABULARY
from watchglass_monitor.plain_text import describe
from watchglass_monitor.value_dump import DAMAGED, Source, is_value_dump, read_value_dump

_CODE = "make_code"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one variable."""

    name: str
    verdict: Literal["restored", "lost"]
    why: str | None = None

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Load:
    """All verdicts; `why` is set where nothing of the dump could be used.

    `sources` is the code whose definitions the dump has in the place of values.
    """

    verdicts: list[Verdict]
    versions: dict[str, int]
    why: str | None = None
    sources: tuple[Source, ...] = ()


def load(data: bytes, namespace: dict[str, object], *, time_limit: TimeLimit = nullcontext) -> Load:
    """Bring back what `data` holds; what does not come back is said, never raised."""
    if is_value_dump(data):
        return _load_values(data, namespace)
    try:
        header, body = decode(bytes(data))
    except Exception as problem:
        why = str(problem) if isinstance(problem, DumpDamaged) else DAMAGED
        return Load([], {}, why)
    if body is None:
        verdicts = [Verdict(name, "lost", DAMAGED) for name in header.names]
        return Load(verdicts, dict(header.versions), DAMAGED)
    with _without_collector():
        lost = _Reading(header, body, namespace, time_limit).run()
    verdicts = [_verdict(entry, lost) for entry in header.entries]
    return Load(verdicts, dict(header.versions))


def _load_values(data: bytes, namespace: dict[str, object]) -> Load:
    try:
        found = read_value_dump(data)
    except Exception:
        return Load([], {}, DAMAGED)
    namespace.update(found.values)
    lost = [Verdict(name, "lost", why) for name, why in found.lost.items()]
    back = [Verdict(name, "restored") for name in found.values]
    return Load([*back, *lost], found.versions, sources=found.sources)


def _verdict(entry: tuple[str, bool, str | None, str, bool], lost: Mapping[str, str]) -> Verdict:
    name, stored, why, _, _ = entry
    if not stored:
        return Verdict(name, "lost", why)
    return Verdict(name, "lost", lost[name]) if name in lost else Verdict(name, "restored")


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing that is being made is garbage, and looking for some takes longer than making it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Unpickler(_pickle.Unpickler):
    """The fast way: stops at the first problem."""

    def __init__(self, data: bytes, known: list[object]) -> None:
        super().__init__(io.BytesIO(data))
        self._known = known

    def persistent_load(self, pid: int) -> object:
        return self._known[pid]


class _Reading:
    """One dump being read into one namespace."""

    def __init__(
        self, header: Header, body: bytes, namespace: dict[str, object], time_limit: TimeLimit
    ) -> None:
        self._header = header
        self._namespace = namespace
        self._time_limit = time_limit
        self._wanted = frozenset(header.names)
        self._known = _vocabulary(header, namespace)
        self._data = _prelude(len(self._known)) + body

    def run(self) -> dict[str, str]:
        """Fill the namespace; the names that are lost, and why."""
        before = {name: self._namespace[name] for name in self._names() if name in self._namespace}
        try:
            self._read_fast()
            lost: dict[str, str] = {}
        except BaseException:
            # User code or a time limit; the careful way finds out which variable it was.
            self._undo(before)
            lost = self._read_carefully()
        lost = self._missing() | lost
        self._put_in_order(lost)
        return lost

    def _missing(self) -> dict[str, str]:
        """Names that were stored but did not turn up."""
        stored = (entry[0] for entry in self._header.entries if entry[1] and entry[0] != OUT)
        return {name: DAMAGED for name in stored if name not in self._namespace}

    def _names(self) -> tuple[str, ...]:
        return tuple(name for name in self._header.names if name != OUT)

    def _undo(self, before: dict[str, object]) -> None:
        for name in self._names():
            self._namespace.pop(name, None)
        self._namespace.update(before)

    def _read_fast(self) -> None:
        unpickler = _Unpickler(self._data, self._known)
        unpickler.load()
        for _ in range(self._header.records):
            with self._time_limit():
                label, value = unpickler.load()
            # At once: a __setstate__ further on may use this variable.
            self._store(label, value)

    def _store(self, label: object, value: object) -> None:
        if isinstance(label, str):
            if label in self._wanted:
                self._namespace[label] = value
        elif isinstance(label, tuple) and label[:1] == (OUT,) and len(label) == 2:
            out = self._namespace.setdefault(OUT, {})
            if isinstance(out, dict):
                out[label[1]] = value

    def _read_carefully(self) -> dict[str, str]:
        failures = Failures(self._time_limit, self._namespace)
        unpickler = CarefulUnpickler(io.BytesIO(self._data), self._known, failures)
        unpickler.load()
        values: list[tuple[object, object]] = []
        lost: dict[str, str] = {}
        stopped: str | None = None
        for _ in range(self._header.records):
            try:
                label, value = unpickler.load()
            except BaseException as problem:
                stopped = f"reading what was stored stopped: {describe(problem)}"
                break
            values.append((label, value))
            # At once, as above; whether it is sound to the end is seen below.
            if isinstance(label, str) and failures.inside(value) is None:
                self._store(label, value)
        for label, value in values:
            why = failures.inside(value)
            if why is None:
                self._store(label, value)
            elif isinstance(label, str) and label != NO_NAME:
                lost[label] = why
        return self._unread(values, stopped) | lost

    def _unread(self, values: list[tuple[object, object]], stopped: str | None) -> dict[str, str]:
        if stopped is None:
            return {}
        read = {label for label, _ in values if isinstance(label, str)}
        stored = (entry[0] for entry in self._header.entries if entry[1])
        return {name: stopped for name in stored if name not in read}

    def _put_in_order(self, lost: Mapping[str, str]) -> None:
        """As they were defined, which is how people find them."""
        for name in self._names():
            if name in self._namespace:
                value = self._namespace.pop(name)
                if name not in lost:
                    self._namespace[name] = value


def _vocabulary(header: Header, namespace: dict[str, object]) -> list[object]:
    known: dict[str, object] = {**VOCABULARY, NAMESPACE: namespace, BUILTINS: builtins.__dict__}
    if header.code_version != CODE_VERSION:
        known[_CODE] = _foreign_code(header.code_version.split()[0])
    return [known.get(name, _unknown_word(name)) for name in header.vocabulary]


def _foreign_code(version: str) -> object:
    def make_code(data: bytes) -> None:
        here = CODE_VERSION.split()[0]
        raise ValueError(
            f"its code was stored by Python {version} and this is Python {here}; "
            "run its definition again"
        )

    return make_code


def _unknown_word(name: str) -> object:
    def missing(*arguments: object) -> None:
        raise ValueError(f"it was stored by another version of Watchglass ({name})")

    return missing


def _prelude(count: int) -> bytes:
    """A pickle that puts the vocabulary into the unpickler's memo, entry by entry."""
    # BININT2 index, BINPERSID, MEMOIZE, POP; setting Unpickler.memo itself is broken in CPython.
    steps = (b"M" + index.to_bytes(2, "little") + b"Q\x940" for index in range(count))
    return b"\x80\x05" + b"".join(steps) + b"N."
