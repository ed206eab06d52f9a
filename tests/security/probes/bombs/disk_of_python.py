"""Fills the file system that Python sees."""

with open("/tmp/filled", "wb") as file:
    while True:
        file.write(bytes(2**24))
