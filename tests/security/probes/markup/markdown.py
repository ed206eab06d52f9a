"""Runs a script in formatted text."""


class Text:
    def _repr_markdown_(self):
        link = f"[read on](javascript:{ATTACK})"
        return f"# <script>{ATTACK}</script>\n{link} <img src=x: onerror='{ATTACK}'>"


Text()
