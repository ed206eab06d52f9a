"""Source code that grows line by line, with the objects that it refers to."""

from __future__ import annotations

import linecache
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from spacetimedb_bsatn.algebraic import AlgebraicType, Primitive
from spacetimedb_bsatn.classes import Classes

# One struct code for each number; wide ones are two words, or bytes.
CODES: Final = {
    Primitive.BOOL: "B",
    Primitive.I8: "b",
    Primitive.U8: "B",
    Primitive.I16: "h",
    Primitive.U16: "H",
    Primitive.I32: "i",
    Primitive.U32: "I",
    Primitive.I64: "q",
    Primitive.U64: "Q",
    Primitive.F32: "f",
    Primitive.F64: "d",
}


class Source(ABC):
    """Python source with its constants: a function for each type; `compiled` makes them of it."""

    PREFIX: ClassVar[str]  # of the functions' names

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._functions: dict[AlgebraicType, str] = {}
        self._unwritten: list[tuple[AlgebraicType, str]] = []
        self.constants: dict[str, Any] = {}
        self._known: dict[object, str] = {}
        self._lines: list[str] = []
        self._depth = 0
        self._names = 0

    def name(self, prefix: str = "x") -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    def function(self, type_: AlgebraicType) -> str:
        """The name of the function for this type; written once."""
        if type_ not in self._functions:
            self._functions[type_] = name = self.name(self.PREFIX)
            self._unwritten.append((type_, name))
        return self._functions[type_]

    def write_functions(self) -> None:
        """All functions asked for so far, and those that they ask for."""
        while self._unwritten:
            self.write_function(*self._unwritten.pop())

    @abstractmethod
    def write_function(self, type_: AlgebraicType, name: str) -> None: ...

    def constant(self, value: Any, prefix: str, key: object = None) -> str:
        """The name of a constant; equal keys share one."""
        wanted = (prefix, id(value) if key is None else key)
        if wanted not in self._known:
            self._known[wanted] = name = self.name(prefix.upper())
            self.constants[name] = value
        return self._known[wanted]

    def struct(self, codes: str) -> struct.Struct:
        return struct.Struct("<" + codes)

    def line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, text: str) -> Iterator[None]:
        self.line(text)
        self._depth += 1
        yield
        self._depth -= 1

    def compiled(self, label: str) -> dict[str, Callable[..., Any]]:
        """The functions; a traceback through them shows their lines."""
        text = "\n".join(self._lines) + "\n"
        file = f"<spacetimedb {label} {id(self):x}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        namespace = dict(self.constants)
        exec(compile(text, file, "exec"), namespace)
        return namespace
