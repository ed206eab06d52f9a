"""The other form of a dump: values as tagged JSON. Twin of watchglass_sync/value_dump.py."""

import json
from dataclasses import dataclass

from watchglass_monitor.namespace import is_variable
from watchglass_monitor.values import ValueMistake, decode

MAGIC = b"WGVALUES1\n"
DAMAGED = "what was stored is damaged"


@dataclass(frozen=True, slots=True)
class Source:
    """The code of an execution, and the names that it may have defined."""

    number: int
    code: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValueDump:
    """The values that it stands for, which of its names are lost and why, and their versions.

    `sources` is where the definitions are that are no values.
    """

    values: dict[str, object]
    lost: dict[str, str]
    versions: dict[str, int]
    sources: tuple[Source, ...]


def is_value_dump(data: bytes) -> bool:
    """Whether these bytes are in this form, and no pickles."""
    return data.startswith(MAGIC)


def read_value_dump(data: bytes) -> ValueDump:
    """Make all values; one that is none costs no other. Raises ValueError when nothing is."""
    told = json.loads(data[len(MAGIC) :])
    values: dict[str, object] = {}
    lost: dict[str, str] = {}
    for name, tagged in told["values"].items():
        if not is_variable(name):
            lost[name] = "a variable cannot have this name"
            continue
        try:
            values[name] = decode(tagged)
        except (ValueMistake, RecursionError) as problem:
            lost[name] = f"it is no value: {problem}"
    sources = (
        Source(int(each["number"]), each["code"], tuple(filter(is_variable, each["names"])))
        for each in told["sources"]
    )
    versions = {name: version for name, version in told["versions"].items() if name not in lost}
    return ValueDump(values, lost, versions, tuple(sources))
