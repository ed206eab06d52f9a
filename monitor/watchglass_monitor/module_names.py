"""Which modules and which names in them an import statement could name."""

import ast
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec, PathFinder

from watchglass_monitor.given_modules import GivenModules

MAX_MODULES = 5000
_MAX_SOURCE = 1024 * 1024


def module_names(parent: str) -> list[str]:
    """Modules at the top, or in the package `parent`."""
    given = _given(parent)
    if parent:
        paths = _package_paths(parent)
        return [*given, *([] if paths is None else _found(paths))]
    names = {*given, *sys.stdlib_module_names, *sys.builtin_module_names, *_found(None)}
    names.update(name for name in list(sys.modules) if "." not in name)
    return sorted(name for name in names if name.isidentifier())


def _given(parent: str) -> set[str]:
    return {name for finder in _finders() for name in finder.names(parent) if name.isidentifier()}


def _finders() -> list[GivenModules]:
    # Not isinstance, which asks an object of the user's for its __class__.
    return [each for each in list(sys.meta_path) if type(each) is GivenModules]


def _found(paths: list[str] | None) -> list[str]:
    names: list[str] = []
    try:
        for module in pkgutil.iter_modules(paths):
            names.append(module.name)
            if len(names) >= MAX_MODULES:
                break
    except Exception:  # a finder of the user's on sys.meta_path or a path that went away
        return names
    return names


def _package_paths(name: str) -> list[str] | None:
    module = sys.modules.get(name)
    paths: Iterable[str] | None
    if module is not None:
        paths = vars(module).get("__path__") if hasattr(module, "__dict__") else None
    else:
        spec = _spec(name)
        paths = spec.submodule_search_locations if spec else None
    return None if paths is None else list(paths)


def _spec(name: str) -> ModuleSpec | None:
    parent = name.rpartition(".")[0]
    paths = _package_paths(parent) if parent else None
    try:
        if not parent:
            return importlib.util.find_spec(name)
        # importlib.util.find_spec("a.b") would import a.
        given = (finder.find_spec(name, paths) for finder in _finders())
        return PathFinder.find_spec(name, paths) or next(filter(None, given), None)
    except Exception:  # a finder of the user's, a module without a spec
        return None


def names_in(module_name: str) -> dict[str, object]:
    """What `from module_name import` could name; the module is not imported for that."""
    found: dict[str, object] = {}
    found.update(dict.fromkeys(module_names(module_name) if module_name else ()))
    module = sys.modules.get(module_name)
    if module is not None:
        found.update(getattr(module, "__dict__", {}))
    else:
        found.update(dict.fromkeys(_names_in_source(module_name)))
    return found


def _names_in_source(module_name: str) -> list[str]:
    spec = _spec(module_name)
    read = getattr(spec.loader, "get_source", None) if spec else None
    try:
        source = read(module_name) if read else None
        if source is None or len(source) > _MAX_SOURCE:
            return []
        tree = ast.parse(source)
    except Exception:  # not readable, or not Python
        return []
    return [name for node in tree.body for name in _bound(node)]


def _bound(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [(each.asname or each.name).split(".")[0] for each in names]
    return []
