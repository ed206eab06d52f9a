"""Leaves a file in the working directory of the process."""

import js

js.process.getBuiltinModule("fs").writeFileSync(MARK, "written by a probe")
