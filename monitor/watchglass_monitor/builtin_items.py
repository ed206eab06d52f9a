"""Containers -> their items, past whatever their class says about iterating."""

from collections import deque
from collections.abc import Iterator


def builtin_items(value: object) -> Iterator[object]:
    """The items of a list, tuple, set, frozenset or deque, or of a subclass of one."""
    if isinstance(value, list):
        return list.__iter__(value)
    if isinstance(value, tuple):
        return tuple.__iter__(value)
    if isinstance(value, set):
        return set.__iter__(value)
    if isinstance(value, frozenset):
        return frozenset.__iter__(value)
    if isinstance(value, deque):
        return deque.__iter__(value)
    return iter(())
