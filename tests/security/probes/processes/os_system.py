"""Calls os.system, which Emscripten hands to a child process of Node."""

import os

print(os.system(f"echo written > {WRITABLE}/by_system"))
