"""Has markup stand for a value."""


class Shown:
    def __repr__(self):
        return f"<img src=x: onerror='{ATTACK}'>"


shown = Shown()
shown_inside = [shown, {f"<img src=x: onerror='{ATTACK}'>": f"<script>{ATTACK}</script>"}]
text = f"<img src=x: onerror='{ATTACK}'>"
