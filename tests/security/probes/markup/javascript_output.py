"""Has JavaScript shown as a kind of output of its own."""


class Script:
    def _repr_javascript_(self):
        return ATTACK

    def _repr_mimebundle_(self, **kinds):
        return {"application/javascript": ATTACK, "text/javascript": ATTACK, "text/plain": ATTACK}


Script()
