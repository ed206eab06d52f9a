"""Runs a script in a picture."""


class Picture:
    def _repr_svg_(self):
        start = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{ATTACK}">'
        return f"{start}<script>{ATTACK}</script></svg>"


Picture()
