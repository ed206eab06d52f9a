"""The pickler of a namespace: everything by value that another interpreter cannot import."""

import _pickle
import abc
import builtins
import enum
import sys
import types
from typing import Any, BinaryIO

from watchglass_monitor import (
    flattening,
    pickled_classes,
    pickled_decorators,
    pickled_functions,
    pickled_instances,
    pickled_names,
    pickled_typing,
    pickled_values,
)
from watchglass_monitor.origin import Origin
from watchglass_monitor.pickled_functions import Reducer, Reduction
from watchglass_monitor.unstorable import Kind, refuse, unstorable_kind

PROTOCOL = 5

_REDUCERS: dict[type, Reducer] = {
    **pickled_functions.REDUCERS,
    **pickled_decorators.REDUCERS,
    **pickled_classes.REDUCERS,
    **pickled_names.REDUCERS,
    **pickled_typing.REDUCERS,
    **pickled_values.REDUCERS,
}

# What nearly every dump refers to. Pickler and unpickler start with these in their memo, so
# that a dump holds no import path of ours and writes each as one byte or two.
_KNOWN: tuple[Any, ...] = (
    *pickled_functions.MAKERS,
    *pickled_decorators.MAKERS,
    *pickled_classes.MAKERS,
    *pickled_instances.MAKERS,
    *pickled_names.MAKERS,
    *pickled_typing.MAKERS,
    *pickled_values.MAKERS,
    flattening.set_contents,
    *(object, type, property, staticmethod, classmethod),
    *(int, float, str, bytes, bool, list, tuple, dict, set, frozenset),
    abc.ABCMeta,
    enum.Enum,
)
VOCABULARY: dict[str, object] = {each.__name__: each for each in _KNOWN}
NAMESPACE = "namespace"
BUILTINS = "builtins"
VOCABULARY_NAMES = (NAMESPACE, BUILTINS, *VOCABULARY)


class Reducers(dict[type, Reducer | None]):
    """How to store each type met in one dump; found out once a type."""

    def __init__(self, origin: Origin) -> None:
        super().__init__(_REDUCERS)
        self.origin = origin

    def __missing__(self, cls: type) -> Reducer | None:
        reducer = self[cls] = self._find(cls)
        return reducer

    def _find(self, cls: type) -> Reducer | None:
        if issubclass(cls, type):
            return pickled_classes.reduce_class
        if cls in (type(sys.stdin), type(sys.stdout), type(sys.stderr)):
            return _either(pickled_names.reduce_stream, self._find_usual(cls))
        return self._find_usual(cls)

    def _find_usual(self, cls: type) -> Reducer | None:
        if (kind := unstorable_kind(cls)) is not None:
            return _refuser(kind)
        if issubclass(cls, property):
            return pickled_decorators.reduce_property
        if issubclass(cls, types.ModuleType):
            return pickled_names.reduce_module
        if any(parent.__name__ == "_LoopBoundMixin" for parent in cls.__mro__):
            return pickled_values.reduce_bound_to_loop
        if not self.origin.defined_here(cls):
            return None
        if issubclass(cls, enum.Enum):
            return pickled_classes.reduce_member
        return pickled_instances.instance_reducer(cls, self.origin)


def _either(first: Reducer, second: Reducer | None) -> Reducer:
    def reduce(value: object, origin: Origin) -> Reduction:
        reduction = first(value, origin)
        return second(value, origin) if reduction is None and second else reduction

    return reduce


def _refuser(kind: Kind) -> Reducer:
    def stop(value: object, origin: Origin) -> Reduction:
        # `import js` binds an object of JavaScript.
        if (imported := pickled_names.reduce_imported(value, origin)) is not None:
            return imported
        raise refuse(value, kind)

    return stop


class NamespacePickler(_pickle.Pickler):
    """One dump of one namespace; its memo spans all variables, so sharing survives."""

    def __init__(self, file: BinaryIO, reducers: Reducers) -> None:
        super().__init__(file, PROTOCOL)
        self.reducers = reducers
        self.origin = reducers.origin
        self.latest: object = None

    def start(self) -> None:
        """Put the vocabulary into the memo."""
        known = (self.origin.namespace, builtins.__dict__, *VOCABULARY.values())
        self.memo = {id(each): (index, each) for index, each in enumerate(known)}

    def forget(self) -> None:
        """Let go of the user's objects: a traceback may keep this pickler for longer."""
        self.clear_memo()
        self.latest = None

    def reducer_override(self, value: object) -> Any:
        # Remembered for the message, should storing it fail.
        self.latest = value
        reducer = self.reducers[type(value)]
        if reducer is None:
            return NotImplemented
        reduction = reducer(value, self.origin)
        return NotImplemented if reduction is None else reduction
