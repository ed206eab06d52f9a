"""Fetches an address of the host with Pyodide's pyfetch."""

from pyodide.http import pyfetch

try:
    await pyfetch(f"http://127.0.0.1:{TCP_PORT}/")
except Exception as error:
    print(error)
