"""Gives a script out for a picture."""


class Picture:
    def _repr_mimebundle_(self, **kinds):
        return {"image/png": f'x" onerror="{ATTACK}', "image/svg+xml": f"<script>{ATTACK}</script>"}


Picture()
