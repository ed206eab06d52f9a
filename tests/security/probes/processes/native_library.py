"""Loads a library of machine code, whose first function makes system calls."""

from pyodide.code import run_js

load = run_js("(path) => process.dlopen({ exports: {} }, path)")
load(LIBRARY)
