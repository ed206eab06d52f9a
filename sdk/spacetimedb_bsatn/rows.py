"""Classes of rows: frozen `msgspec.Struct`s that no collector visits, else dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast, dataclass_transform

try:
    import msgspec
except ImportError:  # pure Python then: the same classes, slower
    msgspec = None  # type: ignore[assignment]

if TYPE_CHECKING:

    @dataclass_transform(frozen_default=True)
    class Row:
        """A row of a table, or another product: fields by name, equal by value, never changed."""

        __match_args__: ClassVar[tuple[str, ...]]

        def replace(self, **changes: Any) -> Self:
            """The same with some fields changed."""
            ...

elif msgspec is None:

    class Row:
        """A row of a table, or another product: fields by name, equal by value, never changed."""

        def __init_subclass__(cls, **_: Any) -> None:
            dataclasses.dataclass(frozen=True)(cls)

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
        annotations = {"__annotations__": dict.fromkeys(fields, Any), "__module__": module}
        made = type(name, (Row,), namespace | annotations)
    return cast("type[Row]", made)
