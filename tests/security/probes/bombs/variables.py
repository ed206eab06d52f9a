"""Makes variables without end."""

number = 0
while True:
    number += 1
    globals()[f"variable_{number}"] = [number] * 10
