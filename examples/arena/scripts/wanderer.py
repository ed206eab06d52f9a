# The wanderer strolls about, and turns back at the walls.
import random


def steer():
    if not (12 < me["x"] < 88 and 12 < me["y"] < 48):
        return towards({"x": 50, "y": 30})
    return (heading + random.randint(-20, 20)) % 360
