# The coward eats, and runs when somebody comes near.
def steer():
    enemy = nearest(others)
    if enemy and distance(enemy) < 16:
        return away_from(enemy)
    if food:
        return towards(nearest(food))
    return towards({"x": 50, "y": 30})
