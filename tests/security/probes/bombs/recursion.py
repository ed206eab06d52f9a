"""Calls itself without end, also where Python does not count it."""


class Endless:
    def __repr__(self):
        return repr(self)


def again(depth):
    return again(depth + 1)


for attempt in (lambda: again(0), lambda: repr(Endless())):
    try:
        attempt()
    except RecursionError as error:
        print(error)
