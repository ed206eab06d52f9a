"""The user's globals: which names are variables, and which of these are hidden by default."""

import re
import types
from keyword import iskeyword

# Names that the REPL puts there itself; they are never reported.
OWN_NAMES = frozenset({"In", "Out", "exit", "quit", "display", "get_ipython", "_", "__", "___"})

# A longer name cannot be typed by a person; a bound keeps one variable from filling a message.
MAX_NAME_LENGTH = 500

_INPUT_HISTORY = re.compile(r"_i{1,3}|_i?[0-9]+")


def is_variable(name: object, own_names: frozenset[str] = OWN_NAMES) -> bool:
    """Whether a key of the namespace is a variable that is reported at all."""
    if type(name) is not str or name in own_names:
        return False
    if not name.startswith("_"):
        return bool(name) and len(name) <= MAX_NAME_LENGTH and _is_encodable(name)
    if name.startswith("__") and name.endswith("__"):
        return False
    is_history = _INPUT_HISTORY.fullmatch(name) is not None
    return not is_history and len(name) <= MAX_NAME_LENGTH and _is_encodable(name)


def is_hidden(name: str, value: object) -> bool:
    """Whether a variable is shown only on request: modules and names that begin with `_`."""
    return name.startswith("_") or issubclass(type(value), types.ModuleType)


def is_bindable(name: str, own_names: frozenset[str] = OWN_NAMES) -> bool:
    """Whether a panel may bind this name: what code could write on the left of `=`."""
    return name.isidentifier() and not iskeyword(name) and is_variable(name, own_names)


def _is_encodable(name: str) -> bool:
    """A lone surrogate cannot be written as UTF-8, so no wire could carry the name."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
