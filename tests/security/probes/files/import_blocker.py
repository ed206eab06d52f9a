"""Takes whatever keeps `js` from being imported out of the way, and imports it anew."""

import importlib
import sys

from _pyodide import _importhook

sys.modules.pop("js", None)
finders = [finder for finder in sys.meta_path if hasattr(finder, "jsproxies")]
print(finders, _importhook.jsfinder.jsproxies.keys())
sys.meta_path[:] = finders
js = importlib.import_module("js")
sys.meta_path.append(importlib.machinery.BuiltinImporter)
sys.meta_path.append(importlib.machinery.FrozenImporter)
sys.meta_path.append(importlib.machinery.PathFinder)
print(js.process.getBuiltinModule("fs").readFileSync(SECRET_FILE, "utf8"))
