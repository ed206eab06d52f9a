"""The Watchglass server: sessions of Python in processes of their own, over Socket.IO."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchglass_server.app import PyodideServer
    from watchglass_server.config import Config
    from watchglass_server.manager import PyodideManager
    from watchglass_server.process import PyodideProcess

__all__ = ["Config", "PyodideManager", "PyodideProcess", "PyodideServer"]

# Found when they are asked for: whoever needs one small module does not load the web server.
_MODULES = {
    "Config": "config",
    "PyodideManager": "manager",
    "PyodideProcess": "process",
    "PyodideServer": "app",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
