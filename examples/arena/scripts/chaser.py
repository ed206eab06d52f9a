# The chaser hunts the richest unit it sees, or else it eats.
def steer():
    prey = max(others, key=lambda unit: unit["score"], default=None)
    if prey:
        return towards(prey)
    if food:
        return towards(nearest(food))
    return towards({"x": 50, "y": 30})
