"""`from IPython.display import HTML` and the like, as notebooks and tutorials write it.

IPython is not here; these names are, and only for code that asks for them.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

from watchglass_monitor import display, rich

_SHOWN = ("DisplayHandle", "display", "update_display")
_RICH = ("HTML", "Image", "JSON", "Latex", "Markdown", "Pretty", "SVG")


def clear_output(wait: bool = False) -> None:
    """Keep what was shown: the record of a session is never taken back."""
    del wait


def get_ipython() -> None:
    """There is no IPython shell, which None says to code that asks."""


class IPythonFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes the modules IPython and IPython.display when they are imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in ("IPython", "IPython.display"):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=name == "IPython")

    def exec_module(self, module: ModuleType) -> None:
        names: dict[str, object] = {"get_ipython": get_ipython, "display": display.display}
        if module.__name__ == "IPython.display":
            names = {name: getattr(display, name) for name in _SHOWN}
            names |= {name: getattr(rich, name) for name in _RICH}
            names["clear_output"] = clear_output
        module.__dict__.update(names)

    @classmethod
    def install(cls) -> None:
        """Be asked last: an IPython that is really there comes first."""
        if not any(isinstance(each, cls) for each in sys.meta_path):
            sys.meta_path.append(cls())
