"""Never stops to compute, in JavaScript."""

from pyodide.code import run_js

run_js("() => { for (;;); }")()
