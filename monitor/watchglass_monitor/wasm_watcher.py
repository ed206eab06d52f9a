"""Node host ⇄ watcher: the top rung, a dict watcher in WebAssembly with a table of stored names."""

import ctypes
from sys import getsizeof
from typing import Any

from .host import NativeWatcher
from .watcher import USER_FILE, Stores, WatcherUnavailable, file_of_lines

# So many stores of a window are noted with the line of the user's code…
LEAD = 500
# …and after so many the dict is no longer watched until the next `drain`: a store that is noted
# costs up to 100 nanoseconds, which a loop of nothing but stores would feel.
STORM = 4000
_RESCAN, _STORM = 1, 2

_MAX_NAMES = 4096
_Words = ctypes.c_uint32 * _MAX_NAMES


class _Window(ctypes.Structure):
    """What was noted between two drains; node_host/native/dict_watcher.wat has the same."""

    _fields_ = (
        ("events", ctypes.c_uint32),
        ("names", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("unused", ctypes.c_uint32),
        ("keys", ctypes.py_object * _MAX_NAMES),
        ("counts", _Words),
        ("lines", _Words),
        ("slots", ctypes.c_uint16 * (2 * _MAX_NAMES)),
    )


class _State(ctypes.Structure):
    _fields_ = (
        ("namespace", ctypes.c_uint32),
        ("type_of_str", ctypes.c_uint32),
        ("user_file", ctypes.c_uint32),
        ("filename_offset", ctypes.c_uint32),
        ("lead", ctypes.c_uint32),
        ("limit", ctypes.c_uint32),
        ("watcher", ctypes.c_uint32),
        ("written", ctypes.c_uint32),
        ("probe", ctypes.c_uint32),
        ("heard", ctypes.c_uint32),
        ("running_file", ctypes.c_uint32),
        ("unused", ctypes.c_uint32),
        ("windows", _Window * 2),
    )


class WasmWatcher:
    """Notes every stored name at the speed of the machine; one at a time in a process."""

    rung = "wasm-watcher"
    complete = True

    def __init__(self, namespace: dict[str, Any], native: NativeWatcher) -> None:
        self._namespace = namespace
        # Looked up once: each look-up in JavaScript takes longer than the call.
        self._watch, self._take, self._stop = native.watch, native.take, native.clear
        state: Any = _State.from_address(native.state)
        state.type_of_str = id(str)
        state.user_file = id(USER_FILE)
        state.filename_offset = _filename_offset()
        state.lead = LEAD
        state.limit = STORM
        self._state = state
        self._windows: tuple[Any, Any] = (state.windows[0], state.windows[1])
        self._is_whole = True

    def arm(self) -> None:
        self._state.running_file = id(file_of_lines())
        if not self._watch(id(self._namespace)):
            raise WatcherUnavailable("no dict watcher is free; take the next rung")

    def clear(self) -> None:
        self._stop()

    def has_stores(self) -> bool:
        written = self._windows[self._state.written]
        return bool(written.events or written.flags) or not self._is_whole

    def drain(self) -> Stores:
        if not self.has_stores():
            return Stores()
        # Should an interrupt fall into these lines, what they had noted is lost.
        was_whole, self._is_whole = self._is_whole, False
        stores = _stores(self._windows[self._take()])
        if stores.everything:
            self.arm()
        stores.everything |= not was_whole
        self._is_whole = True
        return stores


def _stores(window: Any) -> Stores:
    count, flags = window.names, window.flags
    stores = Stores(everything=bool(flags))
    knows_lines = not flags & _STORM
    for name, line in zip(window.keys[:count], window.lines[:count], strict=True):
        # Two str objects may be equal: which of them came last is not known.
        is_last = knows_lines and line > 0 and name not in stores.names
        stores.names[name] = line if is_last else None
    return stores


def _filename_offset() -> int:
    """Where code objects of this interpreter keep their file name."""
    code = _filename_offset.__code__
    words = list((ctypes.c_uint32 * (getsizeof(code) // 4)).from_address(id(code)))
    try:
        return 4 * words.index(id(code.co_filename))
    except ValueError:
        raise WatcherUnavailable("code objects do not hold their file name here") from None
