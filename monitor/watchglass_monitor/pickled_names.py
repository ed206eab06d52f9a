"""Objects that every interpreter has, written as the place where they are found."""

import contextlib
import dataclasses
import importlib
import os
import sys
from types import BuiltinFunctionType, MethodType, ModuleType

from watchglass_monitor.origin import Origin, type_module
from watchglass_monitor.pickled_functions import Reducer, Reduction


def reduce_module(module: ModuleType, origin: Origin) -> Reduction:
    name = module.__name__
    if sys.modules.get(name) is module:
        return import_module, (name, *_submodules(name, module))
    names = {key: held for key, held in vars(module).items() if key != "__builtins__"}
    return make_module, (name, module.__doc__), names, None, None, set_module_state


def reduce_imported(value: object, origin: Origin) -> Reduction:
    """What an import statement binds, if it is not a module as others are."""
    found = (name for name, module in list(sys.modules.items()) if module is value)
    name = next(found, None)
    return None if name is None else (import_module, (name,))


def _submodules(name: str, module: ModuleType) -> list[str]:
    """What else of a package is imported: `import xml.dom.minidom` binds only `xml`."""
    if not hasattr(module, "__path__"):
        return []
    return [other for other in list(sys.modules) if other.startswith(f"{name}.")]


def import_module(name: str, *submodules: str) -> ModuleType:
    module = importlib.import_module(name)
    for each in submodules:
        # A part that is not there (any more) does not make the package useless.
        if each not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(each)
    return module


def make_module(name: str, doc: str | None) -> ModuleType:
    return ModuleType(name, doc)


def set_module_state(module: ModuleType, names: dict[str, object]) -> None:
    vars(module).update(names)


def reduce_method(method: MethodType, origin: Origin) -> Reduction:
    function = method.__func__
    module = str(getattr(function, "__module__", None))
    if origin.importable(method, module, getattr(function, "__name__", None)):
        # random.randint and the like: bound to an object that only its module has.
        return member, (sys.modules[module], function.__name__)
    # Not getattr(self, name), as pickle does it: that runs the user's code.
    return MethodType, (function, method.__self__)


def reduce_builtin_method(method: BuiltinFunctionType, origin: Origin) -> Reduction:
    module = type_module(type(method.__self__))
    if isinstance(module, str) and origin.importable(method, module, method.__name__):
        return member, (sys.modules[module], method.__name__)
    return None


def member(owner: object, name: str) -> object:
    return getattr(owner, name)


def reduce_stream(stream: object, origin: Origin) -> Reduction:
    """The session's own stdin, stdout and stderr; any other stream is a file."""
    for name in ("stdout", "stderr", "stdin", "__stdout__", "__stderr__", "__stdin__"):
        if getattr(sys, name, None) is stream:
            return member, (sys, name)
    return None


def reduce_environment(environment: object, origin: Origin) -> Reduction:
    return (member, (os, "environ")) if environment is os.environ else None


def reduce_sentinel(value: object, origin: Origin) -> Reduction:
    for name, held in vars(dataclasses).items():
        if held is value:
            return member, (dataclasses, name)
    return None


REDUCERS: dict[type, Reducer] = {
    ModuleType: reduce_module,
    MethodType: reduce_method,
    BuiltinFunctionType: reduce_builtin_method,
    type(os.environ): reduce_environment,
    **{
        type(held): reduce_sentinel
        for name, held in vars(dataclasses).items()
        if type(held).__module__ == "dataclasses" and not isinstance(held, type)
        if type(held).__name__ != "_DataclassParams"
    },
}
MAKERS = (import_module, make_module, set_module_state, member)
