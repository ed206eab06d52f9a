"""Source text and a cursor -> signature, docstring and type of what stands there."""

import inspect
import re
from dataclasses import asdict, dataclass
from types import ModuleType

from watchglass_monitor.cursor import call_at, expression_start, name_end, place_at
from watchglass_monitor.origin import type_qualname
from watchglass_monitor.signatures import signature_text
from watchglass_monitor.static_values import Known, known_value

MAX_DOCSTRING = 64 * 1024
_HELP = re.compile(r"\s*(?:\?{1,2}\s*([\w.\[\]'\"]+)|([\w.\[\]'\"]+)\s*\?{1,2})\s*\Z")


@dataclass(frozen=True, slots=True)
class Inspection:
    """The answer to `inspect`."""

    found: bool
    signature: str | None = None
    docstring: str | None = None
    type: str | None = None

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def help_request(code: str) -> str | None:
    """The expression in `name?`, `?name` or `name??`, if `code` is nothing else."""
    found = _HELP.match(code)
    return (found[1] or found[2]) if found else None


def inspect_at(code: str, cursor: int, namespace: dict[str, object]) -> Inspection:
    """Describe what stands at `cursor`: a callable there, else the call around it."""
    asked = help_request(code)
    if asked is not None:
        code, cursor = asked, len(asked)
    cursor = max(0, min(cursor, len(code)))
    here = _expression_here(code, cursor)
    known = known_value(here, namespace) if here else None
    if known is None or not _is_callable(known):
        call = call_at(code, cursor)
        outer = code[call[0] : call[1]] if call else ""
        called = known_value(outer, namespace) if outer else None
        if called is not None:
            here, known = outer, called
    return Inspection(False) if known is None else _describe(here, known)


def _expression_here(code: str, cursor: int) -> str:
    if place_at(code, cursor).kind != "code":
        return ""
    end = name_end(code, cursor)
    return code[expression_start(code, end) : end]


def _is_callable(known: Known) -> bool:
    if not known.has_value:
        return False
    return isinstance(known.value, type) or inspect.isroutine(known.value)


def _describe(source: str, known: Known) -> Inspection:
    name = re.split(r"[.\s]", source.strip())[-1]
    value = known.value if known.has_value else known.instance_of
    is_instance = not known.has_value or not callable(known.value)
    return Inspection(
        found=True,
        signature=None if is_instance else signature_text(name, value),
        docstring=_docstring(value),
        type=type_qualname(known.cls),
    )


def _docstring(value: object) -> str | None:
    """The own docstring, or that of the class, from where it is kept: it may be a property."""
    text: object
    if inspect.isroutine(value) or isinstance(value, property | ModuleType):
        text = value.__doc__
    else:
        cls = value if isinstance(value, type) else type(value)
        found = (parent.__dict__.get("__doc__") for parent in cls.__mro__)
        text = next((each for each in found if each is not None), None)
    if not isinstance(text, str):
        return None
    text = inspect.cleandoc(text)
    return text if len(text) <= MAX_DOCSTRING else text[:MAX_DOCSTRING] + "\n…"
