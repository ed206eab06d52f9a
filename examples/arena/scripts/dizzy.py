# The dizzy one only ever turns left.
def steer():
    return (heading + 15) % 360
