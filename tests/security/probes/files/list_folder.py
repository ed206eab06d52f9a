"""Lists a folder of the host."""

import js

fs = js.process.getBuiltinModule("fs")
print(fs.readdirSync(SECRET_FOLDER).to_py())
folder = fs.opendirSync(SECRET_FOLDER)
while entry := folder.readSync():
    print(entry.name)
