"""Reads a file of the host as a Blob, which Node reads outside of fs."""

import js

fs = js.process.getBuiltinModule("fs")
blob = await fs.openAsBlob(SECRET_FILE)
print(await blob.text())
