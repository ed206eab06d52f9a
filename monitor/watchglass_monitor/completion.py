"""Source text and a cursor -> what could be written there; runs no code of the user's."""

import builtins
import keyword
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from watchglass_monitor.cursor import Place, call_at, expression_start, name_start, place_at
from watchglass_monitor.module_names import module_names, names_in
from watchglass_monitor.signatures import parameter_names
from watchglass_monitor.static_values import attributes, known_value, type_of

MAX_MATCHES = 500
_MAX_KEYS = 10_000
_IMPORT = re.compile(r"(?:^|;|:)[ \t]*import[ \t]+(?:[\w. \t]+,[ \t]*)*([\w.]*)\Z")
_FROM = re.compile(r"(?:^|;|:)[ \t]*from[ \t]+([\w.]*)\Z")
_FROM_IMPORT = re.compile(
    r"(?:^|;|:)[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t(]+(?:[^#]*,)?\s*(\w*)\Z"
)
_LOCAL = re.compile(
    r"\b(?:def|class|for|as|import|global|nonlocal)\s+([^\W\d]\w*+)"
    r"|(?<!\w)([^\W\d]\w*+)\s*+(?::[^=\n]{1,200})?=(?!=)|[(,]\s*+([^\W\d]\w*+)\s*+(?=[,):=])"
)


@dataclass(frozen=True, slots=True)
class Match:
    """One thing that could stand there."""

    text: str
    type: str


@dataclass(frozen=True, slots=True)
class Completion:
    """The matches, and the range of the code (in code points) that each would replace."""

    matches: list[Match]
    start: int
    end: int

    def moved(self, by: int) -> "Completion":
        """The same in code that has so much before it."""
        return replace(self, start=self.start + by, end=self.end + by)

    def as_dict(self) -> dict[str, object]:
        found = [{"text": match.text, "type": match.type} for match in self.matches]
        return {"matches": found, "start": self.start, "end": self.end}


def complete(code: str, cursor: int, namespace: dict[str, object]) -> Completion:
    """What could be written at `cursor` (code points)."""
    cursor = max(0, min(cursor, len(code)))
    place = place_at(code, cursor)
    if place.kind == "comment":
        return Completion([], cursor, cursor)
    if place.kind == "string":
        return _in_string(code, cursor, place, namespace)
    start = name_start(code, cursor)
    prefix = code[start:cursor]
    if prefix[:1].isdigit():
        return Completion([], cursor, cursor)
    imported = _in_import(code, cursor)
    if imported is not None:
        return Completion(_chosen(imported, prefix), start, cursor)
    if code[:start].rstrip().endswith("."):
        return Completion(_attributes(code, start, prefix, namespace), start, cursor)
    matches = _keys(code, start, prefix, place, namespace)
    matches += _chosen(_names(code, start, namespace), prefix)
    return Completion(matches[:MAX_MATCHES], start, cursor)


def _chosen(candidates: Iterable[Match], prefix: str) -> list[Match]:
    """Those that go on from `prefix`; underscored ones only when they are asked for."""
    found = {each.text: each for each in candidates if each.text.startswith(prefix)}
    if not found and prefix:
        folded = prefix.casefold()
        found = {e.text: e for e in candidates if e.text.casefold().startswith(folded)}
    hidden = "" if prefix.startswith("__") else "__" if prefix.startswith("_") else "_"
    shown = [each for each in found.values() if not hidden or not each.text.startswith(hidden)]
    return sorted(shown, key=_rank)[:MAX_MATCHES]


def _rank(match: Match) -> tuple[bool, bool, str]:
    # What is to be filled in at this call comes first.
    return match.type != "param", match.text.startswith("_"), match.text


def _in_import(code: str, cursor: int) -> list[Match] | None:
    line = code[code.rfind("\n", 0, cursor) + 1 : cursor]
    if found := _FROM_IMPORT.search(line):
        return [Match(name, _imported_type(held)) for name, held in names_in(found[1]).items()]
    found = _FROM.search(line) or _IMPORT.search(line)
    if found is None:
        return None
    parent = found[1].rpartition(".")[0]
    return [Match(name, "module") for name in module_names(parent)]


def _imported_type(held: object) -> str:
    return "module" if held is None else type_of(held)


def _attributes(code: str, start: int, prefix: str, namespace: dict[str, object]) -> list[Match]:
    dot = code[:start].rstrip().rfind(".")
    end = len(code[:dot].rstrip())
    source = code[expression_start(code, end) : end]
    owner = None if source.isdigit() else known_value(source, namespace)
    if owner is None or ("." in source and isinstance(owner.value, property)):
        return []  # what a property gives only its code knows
    found = attributes(owner)
    return _chosen([Match(name, type_of(held)) for name, held in found.items()], prefix)


def _names(code: str, start: int, namespace: dict[str, object]) -> list[Match]:
    found = {name: Match(name, type_of(held)) for name, held in vars(builtins).items()}
    found |= {name: Match(name, "keyword") for name in keyword.kwlist}
    found |= {name: Match(name, "instance") for name in _local_names(code, start)}
    found |= {
        name: Match(name, type_of(held))
        for name, held in list(namespace.items())
        if isinstance(name, str) and name.isidentifier()
    }
    return [*found.values(), *_parameters(code, start, namespace)]


def _local_names(code: str, start: int) -> Iterator[str]:
    """Names that the code itself binds, which do not exist before it runs."""
    for found in _LOCAL.finditer(code):
        name = found[1] or found[2] or found[3]
        if found.start() + found[0].find(name) != start and not keyword.iskeyword(name):
            yield name


def _parameters(code: str, start: int, namespace: dict[str, object]) -> list[Match]:
    call = call_at(code, start)
    if call is None or not code[:start].rstrip().endswith(("(", ",")):
        return []
    function = known_value(code[call[0] : call[1]], namespace)
    if function is None or not function.has_value:
        return []
    return [Match(f"{name}=", "param") for name in parameter_names(function.value)]


def _keys(
    code: str, start: int, prefix: str, place: Place, namespace: dict[str, object]
) -> list[Match]:
    """Keys after `d[`, written as they would be in code."""
    if not place.brackets or code[place.brackets[-1]] != "[":
        return []
    bracket = place.brackets[-1]
    if code[bracket + 1 : start].strip():
        return []
    keys = _dict_keys(code, bracket, namespace)
    return [
        Match(repr(key), "key")
        for key in keys
        if type(key) in (str, int, float, bytes, bool) and repr(key).startswith(prefix)
    ][:MAX_MATCHES]


def _dict_keys(code: str, bracket: int, namespace: dict[str, object]) -> list[object]:
    owner = known_value(code[expression_start(code, bracket) : bracket], namespace)
    if owner is None or not owner.has_value or not isinstance(owner.value, dict):
        return []
    keys = dict.keys(owner.value)
    return list(keys) if len(keys) <= _MAX_KEYS else []


def _in_string(code: str, cursor: int, place: Place, namespace: dict[str, object]) -> Completion:
    start = place.string_start
    opening = start - len(place.quote) - len(place.prefix)
    bracket = len(code[:opening].rstrip()) - 1
    typed = code[start:cursor]
    if place.brackets and bracket == place.brackets[-1] and code[bracket] == "[":
        keys = _dict_keys(code, bracket, namespace)
        closing = "" if code.startswith(place.quote, cursor) else place.quote
        written = (_inside_quotes(key, place.quote) for key in keys if type(key) is str)
        found = [Match(text + closing, "key") for text in written if text.startswith(typed)]
        if found:
            return Completion(found[:MAX_MATCHES], start, cursor)
    return _paths(typed, cursor)


def _inside_quotes(key: str, quote: str) -> str:
    text = repr(key)[1:-1].replace("\\'", "'")
    return text.replace(quote, "\\" + quote) if len(quote) == 1 else text


def _paths(typed: str, cursor: int) -> Completion:
    """Files, where a string looks like the beginning of a path."""
    folder, _, name = typed.rpartition("/")
    start = cursor - len(name)
    if not re.fullmatch(r"[\w./~ -]*", typed) or not typed:
        return Completion([], cursor, cursor)
    place = os.path.expanduser(folder + "/" if "/" in typed else ".")
    try:
        with os.scandir(place) as entries:
            names = [e.name + "/" * e.is_dir() for _, e in zip(range(2000), entries, strict=False)]
    except (OSError, ValueError):
        return Completion([], cursor, cursor)
    return Completion(_chosen([Match(each, "path") for each in names], name), start, cursor)
