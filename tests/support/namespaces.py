"""Namespaces for tests of dump and load, made by running code as a session would."""

from watchglass_monitor.dump import Dump, Dumper, dump
from watchglass_monitor.load import Load, load

Namespace = dict[str, object]


def fresh() -> Namespace:
    """An empty `__main__`."""
    return {"__name__": "__main__"}


def ran(code: str) -> Namespace:
    """What running `code` leaves."""
    namespace = fresh()
    exec(compile(code, "<In[1]>", "exec", dont_inherit=True), namespace)
    return namespace


def names_of(namespace: Namespace) -> list[str]:
    """The variables of the user's."""
    return [name for name in namespace if not name.startswith("__")]


def dumped(namespace: Namespace, dumper: Dumper | None = None) -> Dump:
    """A dump of all variables."""
    names = names_of(namespace)
    if dumper is None:
        return dump(namespace, names, versions={})
    return dumper.dump(namespace, names, versions={})


def brought_back(namespace: Namespace) -> Namespace:
    """The variables after a dump and a load."""
    again = fresh()
    loaded(dumped(namespace).data, again)
    return again


def loaded(data: bytes, namespace: Namespace) -> Load:
    """Load, and insist that nothing is lost."""
    found = load(data, namespace)
    lost = [verdict for verdict in found.verdicts if verdict.verdict == "lost"]
    assert found.why is None
    assert not lost, lost
    return found
