"""Takes all memory that Python can have."""

taken = []
while True:
    taken.append(bytearray(2**24))
