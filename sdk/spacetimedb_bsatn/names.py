"""Names of a schema → names that Python allows, and that hide nothing."""

import builtins
import keyword
import re
from collections.abc import Iterable
from typing import Final

from spacetimedb_bsatn.errors import ValidationError

# What the classes of rows and the tables of a connection have themselves.
TAKEN: Final = frozenset({"replace", "self", "cls", "None", "True", "False"})
# What generated files import, and what Python has already.
IMPORTED: Final = frozenset(
    (
        *("Bare", "Calls", "Connection", "ConnectionId", "Err", "GeneratedBindings", "Identity"),
        *(
            "IndexHandle",
            "Ok",
            "Payload",
            "Queries",
            "Row",
            "ScheduleAt",
            "Sequence",
            "Some",
            "TableHandle",
        ),
        *("TYPE_CHECKING", "Tables", "TimeDuration", "Timestamp", "Uuid"),
    )
)
SHADOWED: Final = IMPORTED | {name for name in dir(builtins) if name[0].isupper()}


def python_name(name: str) -> str:
    """As it is, where it can be; with `_` behind a keyword."""
    safe = re.sub(r"\W", "_", name)
    if not safe or safe[0].isdigit():
        safe = f"_{safe}"
    return f"{safe}_" if keyword.iskeyword(safe) or safe in TAKEN or safe[:2] == "__" else safe


def class_name(name: str) -> str:
    """PascalCase; what is written so already stays."""
    parts = re.split(r"[^0-9A-Za-z]+", name)
    pascal = "".join(part[:1].upper() + part[1:] for part in parts)
    safe = python_name(pascal or "_")
    return f"{safe}_" if safe in SHADOWED else safe


def distinct(names: Iterable[str], where: str, name: str = "python") -> dict[str, str]:
    """Each name with its Python name; two that become the same are an error with both."""
    made = class_name if name == "class" else python_name
    chosen: dict[str, str] = {}
    owners: dict[str, str] = {}
    for each in names:
        safe = made(each)
        if (owner := owners.setdefault(safe, each)) != each:
            raise ValidationError(
                f"{where}: {owner!r} and {each!r} would both be {safe!r} in Python"
            )
        chosen[each] = safe
    return chosen
