"""Lets Node keep a cache of compiled code in a folder of the host."""

import js

module = js.process.getBuiltinModule("module")
print(js.JSON.stringify(module.enableCompileCache(WRITABLE)))
module.flushCompileCache()
