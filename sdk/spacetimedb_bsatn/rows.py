"""Classes of rows: frozen `msgspec.Struct`s that no collector visits, else dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, cast

try:
    import msgspec
except ImportError:  # pure Python then: the same classes, slower
    msgspec = None  # type: ignore[assignment]

if TYPE_CHECKING or msgspec is None:

    @dataclasses.dataclass(frozen=True, slots=True)
    class Row:
        """A row of a table, or another product: fields by name, equal by value, never changed."""

        def replace(self, **changes: Any) -> Self:
            """The same with some fields changed."""
            return dataclasses.replace(self, **changes)

else:

    class Row(msgspec.Struct, frozen=True, gc=False):
        """A row of a table, or another product: fields by name, equal by value, never changed."""

        def replace(self, **changes: Any) -> Self:
            """The same with some fields changed."""
            return msgspec.structs.replace(self, **changes)


def row_class(name: str, fields: Sequence[str], module: str, *, doc: str = "") -> type[Row]:
    """A class with these fields, in this order."""
    namespace = {"__doc__": doc}
    if msgspec is not None:
        made: Any = msgspec.defstruct(
            name,
            fields,
            bases=cast("Any", (Row,)),
            namespace=namespace,
            module=module,
            frozen=True,
            gc=False,
        )
    else:
        made = dataclasses.make_dataclass(
            name, fields, bases=(Row,), namespace=namespace, frozen=True, slots=True
        )
        made.__module__ = module
    return cast("type[Row]", made)
