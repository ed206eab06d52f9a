"""Takes all memory in small objects, so that even an exception finds none."""

taken = []
while True:
    taken.append([taken, str(len(taken))])
