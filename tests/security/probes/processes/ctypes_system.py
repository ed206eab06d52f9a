"""Calls the C library's system() with ctypes."""

import ctypes

print(ctypes.CDLL(None).system(f"echo written > {WRITABLE}/by_ctypes".encode()))
