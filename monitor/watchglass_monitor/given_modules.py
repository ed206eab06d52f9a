"""Modules that the server gives to a session as text: imported as files are, and reloaded."""

import importlib
import importlib.abc
import linecache
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from types import FunctionType, ModuleType

Namespace = dict[str, object]

FOLDER = "/watched/"  # where tracebacks show them; there is no such folder


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one file, and the version that the server calls it by."""

    version: str
    text: str


class GivenModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads what was given, by the path of its file (`game/units.py`)."""

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}
        self._loaded: dict[str, tuple[ModuleType, str]] = {}

    def give(self, path: str, version: str, text: str) -> None:
        """From now on an import or a reload finds this text."""
        self._sources[path] = Source(version, text)
        if self not in sys.meta_path:
            # Behind what is really there, so that no name of Python's own is taken, and before the
            # finders that only explain why there is no such module.
            after = sys.meta_path.index(PathFinder) + 1 if PathFinder in sys.meta_path else 0
            sys.meta_path.insert(after, self)

    def take_back(self, path: str) -> None:
        """The file is gone: what was imported stays, and can no longer be imported anew."""
        self._sources.pop(path, None)

    def loaded(self) -> dict[str, str]:
        """The files that are imported now, each with the version that was."""
        return {
            path: version
            for path, (module, version) in self._loaded.items()
            if sys.modules.get(module_name(path)) is module
        }

    def reload(self, path: str, namespace: Namespace) -> None:
        """Import the module, or run its new text in it. Raises what that raises."""
        name = module_name(path)
        known = self._loaded.get(path)
        if known is None or sys.modules.get(name) is not known[0]:
            self._import(name, namespace)
            return
        module, _ = known
        before = dict(module.__dict__)
        importlib.reload(module)
        follow(namespace, before, module.__dict__)

    def _import(self, name: str, namespace: Namespace) -> None:
        module = importlib.import_module(name)
        if all(module is not known for known, _ in self._loaded.values()):
            raise ImportError(f"Another module is called {name!r} here; give the file another name")
        first = name.partition(".")[0]
        namespace[first] = sys.modules[first]

    # The two halves of an import, as Python asks for them.

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        file = self._file(name)
        if file is not None:
            is_package = file.endswith("/__init__.py")
            spec = ModuleSpec(name, self, origin=FOLDER + file, is_package=is_package)
            spec.has_location = True  # it gets a __file__, which names it in tracebacks
            return spec
        if self.names(name):
            return ModuleSpec(name, None, is_package=True)  # a folder without __init__.py
        return None

    def exec_module(self, module: ModuleType) -> None:
        path = path_of(module)
        source = self._sources[path]
        file = FOLDER + path
        # As tracebacks.remember_source() does: the lines of the text that runs, not of a later one.
        text = source.text if source.text.endswith("\n") else source.text + "\n"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        code = compile(source.text, file, "exec", dont_inherit=True)
        self._loaded[path] = (module, source.version)
        exec(code, module.__dict__)

    def get_source(self, name: str) -> str | None:
        """The text of a module, for linecache, inspect and completion."""
        file = self._file(name)
        return self._sources[file].text if file is not None else None

    def names(self, parent: str) -> set[str]:
        """What can be imported at the top, or from the package `parent`."""
        start = parent.replace(".", "/") + "/" if parent else ""
        inside = [file.removeprefix(start) for file in self._sources if file.startswith(start)]
        return {module_name(file).partition(".")[0] for file in inside if file != "__init__.py"}

    def _file(self, name: str) -> str | None:
        stem = name.replace(".", "/")
        files = (f"{stem}/__init__.py", f"{stem}.py")
        return next((file for file in files if file in self._sources), None)


def module_name(path: str) -> str:
    """`game/units.py` -> `game.units`; `game/__init__.py` -> `game`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def path_of(module: ModuleType) -> str:
    """The file that a module was found in."""
    spec = module.__spec__
    return (spec.origin or "").removeprefix(FOLDER) if spec is not None else ""


def follow(namespace: Namespace, before: Namespace, after: Namespace) -> None:
    """What `from units import damage` bound becomes the new one; values stay as they are."""
    places = {id(value): name for name, value in before.items() if _is_defined(value)}
    for name, value in list(namespace.items()):
        place = places.get(id(value))
        if place is not None and place in after and after[place] is not value:
            namespace[name] = after[place]


def _is_defined(value: object) -> bool:
    return type(value) is FunctionType or issubclass(type(value), type)
