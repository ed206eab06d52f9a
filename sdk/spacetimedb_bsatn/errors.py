"""The errors of values and schemas, in one tree:

SpacetimeDBError
├── ConversionError    a Python value that does not fit its type
├── DecodeError        bytes, or JSON, that are no value of their type
└── ValidationError    a schema that cannot be
"""

from collections.abc import Sequence

SHOWN: int = 60  # characters of a value that an error quotes


class SpacetimeDBError(Exception):
    """The root of all errors of spacetimedb_bsatn and spacetimedb_client."""


class ConversionError(SpacetimeDBError, ValueError):
    """A Python value does not fit its type; nothing was sent."""

    def __init__(self, field: str, value: object, expected: str, suggestion: str = "") -> None:
        what = f"{field or 'the value'}: {quoted(value)} is not {expected}"
        super().__init__(f"{what}; {suggestion}" if suggestion else what)
        self.field = field
        self.value = value
        self.expected = expected
        self.suggestion = suggestion


class DecodeError(SpacetimeDBError, ValueError):
    """Bytes, or JSON, are no value of their type: most often bindings older than the module."""


class ValidationError(SpacetimeDBError, ValueError):
    """A schema that cannot be; `problems` has one sentence for each mistake."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Sequence[str] = problems


def quoted(value: object) -> str:
    """A value as an error shows it: short, with its type where that is not plain."""
    text = repr(value)
    short = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return short if isinstance(value, str | int | float | None) else f"{short} ({kind(value)})"


def kind(value: object) -> str:
    return type(value).__name__
