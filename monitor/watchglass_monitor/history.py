"""In, Out, _, __ and ___: what was executed, and what came out."""

from collections.abc import Mapping

MAX_RESULTS = 1000
_UNDERSCORES = ("_", "__", "___")


class History:
    """Numbered executions and their results, under the names that IPython gives them."""

    def __init__(self, namespace: dict[str, object]) -> None:
        self._namespace = namespace
        self.codes: list[str] = [""]
        self.results: dict[int, object] = {}
        self._shown: list[object] = [None, None, None]

    def install(self) -> None:
        """Bind the names; the user may bind them to something else."""
        self._namespace["In"] = self.codes
        self._namespace["Out"] = self.results
        self._namespace.update(zip(_UNDERSCORES, self._shown, strict=True))

    def remember(self, number: int, code: str) -> None:
        """`In[number]` is `code`; numbers that were left out are empty."""
        while len(self.codes) <= number:
            self.codes.append("")
        self.codes[number] = code

    def keep(self, number: int, value: object) -> None:
        """`value` is the result of execution `number`."""
        if value is self.results:
            return  # Out would hold itself
        self.results[number] = value
        if len(self.results) > MAX_RESULTS:
            del self.results[next(iter(self.results))]
        self._shift(value)

    def _shift(self, value: object) -> None:
        names = self._namespace
        bound = [names.get(name) for name in _UNDERSCORES]
        if any(seen is not ours for seen, ours in zip(bound, self._shown, strict=True)):
            return  # the user has a `_` of their own, as gettext's
        self._shown = [value, *self._shown[:2]]
        names.update(zip(_UNDERSCORES, self._shown, strict=True))

    def restore(self, codes: Mapping[int, str]) -> None:
        """Take over the executions of an earlier process."""
        for number in sorted(codes):
            self.remember(number, codes[number])
        self._shown = [self._namespace.get(name) for name in _UNDERSCORES]
