"""Reaches a file of the host through a symbolic link that it made."""

import js

fs = js.process.getBuiltinModule("fs")
link = WRITABLE + "/link"
fs.symlinkSync(SECRET_FILE, link)
print(fs.readFileSync(link, "utf8"))
