"""A value in a JSON document together with where it is, so that an error can name the place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn, Self

from watchglass_sync.errors import ImportFormatError

MISSING = object()


class Place:
    """One value; `where` reads like "cell 3, output 2, text"."""

    def __init__(self, value: Any, where: str = "") -> None:
        self.value = value
        self.where = where

    @classmethod
    def parse(cls, data: bytes, what: str) -> Self:
        """The document's root, which must be an object."""
        try:
            value = json.loads(data.decode("utf-8-sig"))
        except UnicodeDecodeError as exc:
            raise ImportFormatError(f"{what} is not UTF-8: byte {exc.start} is wrong") from exc
        except json.JSONDecodeError as exc:
            raise ImportFormatError(
                f"{what} is not JSON: line {exc.lineno}, column {exc.colno}: {exc.msg}"
            ) from exc
        except (RecursionError, ValueError) as exc:
            raise ImportFormatError(f"{what} cannot be read as JSON: {exc}") from exc
        place = cls(value, what)
        place.object()
        place.where = ""
        return place

    def get(self, name: str, default: Any = MISSING) -> Place:
        """What is under a name; without a default it has to be there."""
        found = self.object().get(name, default)
        place = Place(found, f"{self.where}, {name}" if self.where else name)
        if found is MISSING:
            raise ImportFormatError(f"{place.where} is missing")
        return place

    def items(self, one: str) -> Iterator[Place]:
        """The places in a list, each named `one` and its number."""
        if not isinstance(self.value, list):
            self._refuse("a list")
        parent = self.where.rpartition(", ")[0]
        for number, value in enumerate(self.value, start=1):
            yield Place(value, f"{parent}, {one} {number}" if parent else f"{one} {number}")

    def object(self) -> dict[str, Any]:
        """The value as an object."""
        return self.value if isinstance(self.value, dict) else self._refuse("an object")

    def string(self) -> str:
        """The value as a string."""
        return self.value if isinstance(self.value, str) else self._refuse("a string")

    def text(self) -> str:
        """The value as text: a string, or a list of strings that belong together."""
        if isinstance(self.value, list) and all(isinstance(line, str) for line in self.value):
            return "".join(self.value)
        return self.value if isinstance(self.value, str) else self._refuse("text")

    def integer(self) -> int:
        """The value as a whole number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self._refuse("a whole number")
        return self.value

    def one_of(self, *allowed: str) -> str:
        """The value as one of these words."""
        if self.value not in allowed:
            self._refuse(" or ".join(map(repr, allowed)))
        return str(self.value)

    def _refuse(self, wanted: str) -> NoReturn:
        shown = json.dumps(self.value)[:60]
        raise ImportFormatError(f"{self.where}: expected {wanted}, found {shown}")
