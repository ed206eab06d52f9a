"""Makes itself a require() and reads a file of the host with it."""

import js

module = js.process.getBuiltinModule("module")
require = module.createRequire("/nowhere.js")
print(require(SECRET_FILE))
