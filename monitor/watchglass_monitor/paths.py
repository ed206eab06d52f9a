"""Paths into values, `["units", {"index": 3}, {"attr": "hp"}]`: reading and writing at them."""

import types
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .children import Entry, groups, key_element
from .previews import preview
from .reading import Value, has_plain_keys, type_name, underlying
from .values import ValueMistake, decode
from .wire import Variable

MAX_STEPS = 64
_MISSING = object()
_HINT = 'A path is a name, then {"index": 3}, {"attr": "hp"} or {"key": "gold"} for each step.'


class VariableError(Exception):
    """A call about a variable that cannot be done; the code is one of the protocol's."""

    def __init__(
        self, code: str, message: str, hint: str, variable: Variable | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: `kind` is index, attr or key."""

    kind: str
    value: Any

    def __str__(self) -> str:
        return f".{self.value}" if self.kind == "attr" else f"[{preview(self.value)}]"


@dataclass(frozen=True, slots=True)
class Path:
    """A checked path."""

    name: str
    steps: tuple[Step, ...]

    @property
    def parent(self) -> "Path":
        return Path(self.name, self.steps[:-1])

    def __str__(self) -> str:
        return (self.name + "".join(str(step) for step in self.steps))[:300]


def parse_path(data: object) -> Path:
    """A path as the protocol writes it; raises VariableError with the place of the mistake."""
    if type(data) is not list or not data:
        raise VariableError("bad_request", "path must be a list that begins with a name", _HINT)
    if type(data[0]) is not str:
        raise VariableError("bad_request", "path[0] must be a variable's name, a string", _HINT)
    if len(data) > MAX_STEPS:
        raise VariableError("bad_request", f"path has more than {MAX_STEPS} steps", _HINT)
    steps = [_parse_step(step, f"path[{index}]") for index, step in enumerate(data[1:], 1)]
    return Path(data[0], tuple(steps))


def _parse_step(data: object, place: str) -> Step:
    if type(data) is not dict or len(data) != 1:
        raise VariableError("bad_request", f"{place} must be an object with one field", _HINT)
    ((kind, value),) = data.items()
    if kind == "index" and type(value) is int and 0 <= value < 2**63:
        return Step("index", value)
    if kind == "attr" and type(value) is str:
        return Step("attr", value)
    if kind == "key":
        try:
            return Step("key", decode(value, f"{place}.key"))
        except ValueMistake as mistake:
            raise VariableError("bad_request", str(mistake), _HINT) from None
    if kind in ("index", "attr"):
        wanted = "a number from 0" if kind == "index" else "a string"
        raise VariableError("bad_request", f"{place}.{kind} must be {wanted}", _HINT)
    raise VariableError("bad_request", f"{place} has an unknown field", _HINT)


def resolve(root: Value, path: Path) -> Entry:
    """The value at a path, and whether it can be replaced there."""
    entry = Entry(path.name, path.name, root, True)
    for count, step in enumerate(path.steps, 1):
        found = _follow(entry.value, step)
        if found is None:
            raise _nothing_at(Path(path.name, path.steps[:count]))
        entry = found
    return entry


def _follow(value: Value, step: Step) -> Entry | None:
    if step.kind == "attr":
        for group in groups(value):
            for entry in group.entries(0):
                if entry.element == {"attr": step.value}:
                    return entry
                if type(entry.element) is dict and "attr" not in entry.element:
                    break  # items, not attributes
        return None
    if step.kind == "key":
        return _item(value, step.value)
    for group in groups(value)[:1]:
        if step.value < group.total:
            item = next(group.entries(step.value), None)
            if item is not None and "attr" not in item.element:
                return item
    return None


def _item(value: Value, key: Any) -> Entry | None:
    """The item of a dict."""
    held: Any = underlying(value) if type(value) is types.MappingProxyType else value
    if not issubclass(type(held), dict):
        return None
    settable = held is value
    if has_plain_keys(held):
        try:
            item = dict.get(held, key, _MISSING)
        except TypeError:
            return None  # a list or the like, which no dict has for a key
        if item is not _MISSING:
            return Entry(key_element(key, 0), preview(key), item, settable)
    wanted = key_element(key, 0)
    if "key" not in wanted:
        return None
    # Keys are compared as the JSON that names them: their own `==` may be the user's code, and
    # nan is not equal to itself. JavaScript writes 1.0 as 1; a dict holds only one of the two.
    for index, (other, item) in enumerate(dict.items(held)):
        if key_element(other, index) == wanted:
            return Entry(wanted, preview(other), item, settable)
    return None


def check_settable(path: Path, parent: Value) -> None:
    """Refuses places that cannot be assigned to; a key or attribute that is missing is created."""
    step = path.steps[-1]
    entry = _follow(parent, step)
    if entry is not None:
        if not entry.settable:
            raise not_settable(path, f"a {type_name(type(parent))} cannot be changed in place")
    elif step.kind == "index" or (step.kind == "key" and not issubclass(type(parent), dict)):
        raise _nothing_at(path)


def write(path: Path, parent: Value, value: object) -> None:
    """Assigns at the last step of a path, as code would: with the parent's own `__setitem__`."""
    step = path.steps[-1]
    try:
        if step.kind == "attr":
            setattr(parent, step.value, value)
        else:
            parent[_key_of(parent, step)] = value  # type: ignore[index]
    except Exception as problem:
        raise not_settable(path, f"it raised {preview(problem)}") from None


def _key_of(parent: Any, step: Step) -> Any:
    """The key to assign to: a dict's item without a JSON key is named by its position."""
    if step.kind == "index" and issubclass(type(parent), dict):
        return next(islice(dict.__iter__(parent), step.value, None))
    return step.value


def not_settable(path: Path, why: str) -> VariableError:
    """The error for a place that cannot be assigned to."""
    return VariableError(
        "not_settable",
        f"{path} cannot be set: {why}.",
        "Set the variable that holds it, for instance with an expression.",
    )


def _nothing_at(path: Path) -> VariableError:
    return VariableError(
        "variable_not_found",
        f"There is nothing at {path}.",
        "It may have changed: expand its parent again.",
    )
