"""What changed in a table: `Insert`, `Update`, `Delete`, for `match`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Insert(Generic[R]):
    row: R


@dataclass(frozen=True, slots=True)
class Update(Generic[R]):
    old: R
    new: R


@dataclass(frozen=True, slots=True)
class Delete(Generic[R]):
    row: R


Change = Insert[R] | Update[R] | Delete[R]
