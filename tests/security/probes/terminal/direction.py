"""Turns the direction of writing, so that text reads as another."""

print("access = '\u202etluafed\u2066'")
