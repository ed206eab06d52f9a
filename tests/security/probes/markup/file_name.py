"""Has markup for the name of the file that an error comes from."""

markup = f"<img src=x: onerror='{ATTACK}'>"
exec(compile("1 / 0", markup, "exec"), {"__name__": markup})
