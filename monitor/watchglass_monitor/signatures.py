"""Callables -> their signatures, without the reprs of the user's objects."""

import inspect
from collections.abc import Callable
from typing import Any

_SHOWN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
_MAX_DEFAULT = 60
MAX_SIGNATURE = 4000


def signature_of(function: object) -> inspect.Signature | None:
    """The signature, if the callable tells one."""
    if not callable(function):
        return None
    # Since 3.14 an annotation is code that has not run yet: as a string it need not.
    options: dict[str, Any] = {}
    if _format is not None:
        options["annotation_format"] = _format
    try:
        return inspect.signature(function, **options)
    except Exception:  # a builtin without one, or a __signature__ of the user's that is broken
        return None


def _string_format() -> object:
    try:
        from annotationlib import Format  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    return Format.STRING


_format = _string_format()


def parameter_names(function: object) -> list[str]:
    """Parameters that can be given by name."""
    signature = signature_of(function)
    if signature is None:
        return []
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [name for name, each in signature.parameters.items() if each.kind in named]


def signature_text(name: str, function: object) -> str | None:
    """`f(x, y=2) -> int`."""
    signature = signature_of(function)
    if signature is None:
        return None
    parameters = [_shown(each) for each in signature.parameters.values()]
    returns = signature.return_annotation
    shown = signature.replace(
        parameters=parameters,
        return_annotation=returns if returns is signature.empty else _annotation(returns),
    )
    # A class of the session itself is known by its bare name.
    text = name + str(shown).replace("__main__.", "")
    return text if len(text) <= MAX_SIGNATURE else text[:MAX_SIGNATURE] + "…"


class _Text:
    """Prints as it is: stands for a default or an annotation."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _shown(parameter: inspect.Parameter) -> inspect.Parameter:
    default, annotation = parameter.default, parameter.annotation
    if default is not parameter.empty:
        parameter = parameter.replace(default=_Text(_default(default)))
    if annotation is not parameter.empty:
        parameter = parameter.replace(annotation=_annotation(annotation))
    return parameter


def _default(value: object) -> str:
    if isinstance(value, type):
        return type.__dict__["__qualname__"].__get__(value)  # type: ignore[no-any-return]
    name = getattr(value, "__name__", None) if inspect.isroutine(value) else None
    if isinstance(name, str):
        return name
    if type(value) in (list, tuple, dict, set, frozenset) and not value:
        return repr(value)
    if type(value) not in _SHOWN:
        return f"<{type(value).__name__}>"
    text = repr(value)
    return text if len(text) <= _MAX_DEFAULT else text[:_MAX_DEFAULT] + "…"


def _annotation(annotation: object) -> object:
    if isinstance(annotation, str):
        return _Text(annotation)
    module: Callable[..., object] | None = getattr(type(annotation), "__module__", None)
    if isinstance(annotation, type) or str(module) in ("typing", "types", "builtins"):
        return annotation
    return _Text(f"<{type(annotation).__name__}>")
