# The coward eats while nobody is near, and runs when somebody is.
def steer():
    enemy = nearest(others)
    if enemy and distance(enemy) < 16:
        return away_from(enemy)
    if food:
        return towards(nearest(food))
    return towards({"x": 50, "y": 30})
