"""Calls itself without end in JavaScript."""

from pyodide.code import run_js

run_js("(function again() { return again() + 1; })")()
