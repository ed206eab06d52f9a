"""Lets Node write its report into a folder of the host."""

import js

js.process.report.directory = WRITABLE
js.process.report.writeReport("report.json")
