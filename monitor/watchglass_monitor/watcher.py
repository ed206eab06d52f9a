"""What tells of stores into the namespace: a dict watcher, a MonitoredDict, or only polls."""

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from sys import _getframe
from types import CodeType, FrameType
from typing import Any, Protocol

from .monitored_dict import MonitoredDict, Operation

# After this many stores the dict is no longer watched until the next `drain`: so a hot loop pays
# for the first stores only, and an ordinary execution still tells each name and line.
MAX_STORES = 64
_MAX_FRAMES = 100
USER_FILE = "<In["


@dataclass(slots=True)
class Stores:
    """What was stored since the last time: the names, each with the line of its last store.

    `everything` means that there were more stores than these: any name may have changed.
    """

    names: dict[str, int | None] = field(default_factory=dict)
    everything: bool = False


class Watcher(Protocol):
    """One rung of the ladder: where stores into one namespace are noticed."""

    rung: str
    # Whether every store is noticed, so that without one no name needs to be compared.
    complete: bool

    def arm(self) -> None:
        """Starts to notice, or makes sure that it still does; cheap when it does."""

    def clear(self) -> None:
        """Stops, and leaves nothing behind that an image of the process could not hold."""

    def has_stores(self) -> bool:
        """Whether anything was noticed since the last `drain`."""
        ...

    def drain(self) -> Stores:
        """What was noticed since the last call; notices again from here on."""
        ...


class WatcherUnavailable(RuntimeError):
    """This interpreter has no dict watchers, or none of them is free: take the next rung."""


class CtypesWatcher:
    """An edge-triggered `PyDict_AddWatcher` on the namespace, its callback made by ctypes."""

    rung = "ctypes-watcher"
    complete = True

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._edge = _Edge()
        self._id: int | None = None
        self._callback: Any = None
        self._start: Any = None  # PyDict_Watch: each look-up of it takes 0.7 ms in Pyodide

    def arm(self) -> None:
        if self._id is not None and self._watch():
            return
        if self._callback is None:
            self._callback = _WATCH_CALLBACK(_notice(self._edge))
        self._add()
        # Stores from before this moment were not seen.
        self._edge.overflow = True
        if not self._watch():
            raise WatcherUnavailable("the namespace cannot be watched; poll it instead")

    def clear(self) -> None:
        self._start = None
        if self._id is None:
            self._edge.stop = self._callback = None
            return
        # Functions are looked up anew each time (`[…]` keeps none): a pointer to one is an index
        # into a table of this process, and an image would carry it into the next.
        for function, arguments in (
            (ctypes.pythonapi["PyDict_Unwatch"], (self._id, ctypes.py_object(self._namespace))),
            (ctypes.pythonapi["PyDict_ClearWatcher"], (self._id,)),
        ):
            try:
                function(*arguments)
            except (ValueError, SystemError):
                continue  # the user's code cleared it before us
        self._id = None
        self._edge.stop = None
        self._callback = None

    def __del__(self) -> None:
        # CPython would go on calling a callback that is gone: the end of the process.
        self.clear()

    def has_stores(self) -> bool:
        return bool(self._edge.stores) or self._edge.overflow

    def drain(self) -> Stores:
        edge = self._edge
        if edge.inside:
            return Stores()  # a signal handler inside the callback: the store is to come
        stores = Stores(dict(edge.stores), edge.overflow)
        edge.stores.clear()
        if edge.overflow:
            self.arm()
            edge.overflow = False
        return stores

    def _add(self) -> None:
        try:
            add = ctypes.pythonapi["PyDict_AddWatcher"]
        except (AttributeError, OSError):
            raise WatcherUnavailable(
                "this Python has no dict watchers; they came with 3.12"
            ) from None
        try:
            # CPython keeps the pointer only: dropping the callback before `clear` would crash.
            watcher_id: int = add(self._callback)
        except (RuntimeError, ValueError) as problem:
            raise WatcherUnavailable(f"no dict watcher is free: {problem}") from None
        self._id = watcher_id
        self._edge.stop = self._stopper(watcher_id)

    def _stopper(self, watcher_id: int) -> Callable[[], object]:
        """What the callback calls after the edge."""
        namespace = ctypes.py_object(self._namespace)
        if sys.version_info >= (3, 13):
            unwatch = ctypes.pythonapi["PyDict_Unwatch"]
            return lambda: unwatch(watcher_id, namespace)
        clear_watcher = ctypes.pythonapi["PyDict_ClearWatcher"]

        def stop() -> None:
            # 3.12 writes the dict's watcher bits back after the callback, so unwatching in it has
            # no effect: there the watcher itself is given back, and taken again by `arm`.
            self._id = None
            clear_watcher(watcher_id)

        return stop

    def _watch(self) -> bool:
        try:
            if self._start is None:
                self._start = ctypes.pythonapi["PyDict_Watch"]
            started: int = self._start(self._id, ctypes.py_object(self._namespace))
            return started == 0
        except (ValueError, RuntimeError):
            self._id = None  # the user's code cleared our watcher
            return False


class _Edge:
    """What the callback has noticed, and how it stops the watcher."""

    __slots__ = ("inside", "overflow", "stop", "stores")

    def __init__(self) -> None:
        self.stores: list[tuple[str, int | None]] = []
        self.overflow = False
        self.inside = False
        self.stop: Callable[[], object] | None = None


_WATCH_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
)


def _notice(edge: _Edge) -> Callable[[int, int | None, int | None, int | None], int]:
    # The key comes as a pointer, which is empty when the dict is cleared: so it cannot be declared
    # as an object. It is read through one place in memory that is both.
    pointer = ctypes.c_void_p()
    key_at_pointer = ctypes.py_object.from_buffer(pointer)

    def notice_store(event: int, _dict: int | None, key: int | None, _value: int | None) -> int:
        # Called in the middle of a store: whatever goes wrong stays here, no user code may run,
        # and 0 is the only answer.
        edge.inside = True
        try:
            name: object = None
            if key and event < _CLONED:
                pointer.value = key
                name = key_at_pointer.value
                pointer.value = None
            if type(name) is str and len(edge.stores) < MAX_STORES:
                edge.stores.append((name, user_line(_getframe())))
            else:
                edge.overflow = True
                if edge.stop is not None:
                    edge.stop()
        except BaseException:
            edge.overflow = True
        finally:
            edge.inside = False
        return 0

    CALLBACK_CODES.add(notice_store.__code__)
    return notice_store


_CLONED = 3

# A signal handler that finds one of these as its frame's code runs in the middle of a store: an
# exception that it raised there would be swallowed by ctypes, so it should wait for its next turn.
CALLBACK_CODES: set[CodeType] = set()


class _Running:
    """The file of the execution that runs."""

    file = ""


def tell_lines_of(file: str) -> None:
    """A change is told with a line of the execution that made it, which is in this file."""
    _Running.file = file


def file_of_lines() -> str:
    """The file whose lines are told; the same object as in the code that is compiled from it."""
    return _Running.file


def user_line(frame: FrameType | None) -> int | None:
    """The line of the user's code that is running, seen from `frame`.

    Where a function of an earlier execution runs, it is the line that called it. A task of an
    earlier execution was called by no line of this one: then it is the task's own line.
    """
    task_file, task_line = "", None
    for _ in range(_MAX_FRAMES):
        if frame is None:
            break
        file = frame.f_code.co_filename
        if file.startswith(USER_FILE):
            if file == _Running.file:
                return frame.f_lineno
            if file != task_file:
                task_file, task_line = file, frame.f_lineno
        frame = frame.f_back
    return task_line


class MonitoredDictWatcher:
    """The listener of a MonitoredDict; functions that store globals are found by polls only."""

    rung = "monitored-dict"
    complete = False

    def __init__(self, namespace: MonitoredDict[str, Any]) -> None:
        self._namespace = namespace
        self._stores = Stores()
        self._remove: Callable[[], None] | None = None

    def arm(self) -> None:
        if self._remove is None:
            self._remove = self._namespace.listen(self._notice)
            self._stores.everything = True

    def clear(self) -> None:
        if self._remove is not None:
            self._remove()
            self._remove = None

    def has_stores(self) -> bool:
        return bool(self._stores.names) or self._stores.everything

    def drain(self) -> Stores:
        stores, self._stores = self._stores, Stores()
        return stores

    def _notice(self, _operation: Operation, key: str) -> None:
        if type(key) is str and len(self._stores.names) < MAX_STORES:
            self._stores.names[key] = user_line(_getframe())
        else:
            self._stores.everything = True


class PollingWatcher:
    """Notices nothing: every scan compares all names."""

    rung = "polling"
    complete = False

    def arm(self) -> None:
        pass

    def clear(self) -> None:
        pass

    def has_stores(self) -> bool:
        return False

    def drain(self) -> Stores:
        return Stores()
