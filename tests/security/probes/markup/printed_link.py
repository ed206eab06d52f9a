"""Prints a terminal's link that leads to a script."""

print(f"\x1b]8;;javascript:{ATTACK}\x1b\\\\read on\x1b]8;;\x1b\\\\")
print(f'javascript:{ATTACK} http://127.0.0.1/"onmouseover="{ATTACK}')
