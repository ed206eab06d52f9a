"""Lets V8 write its heap into a folder of the host."""

import js

js.process.getBuiltinModule("v8").writeHeapSnapshot(WRITABLE + "/heap.heapsnapshot")
