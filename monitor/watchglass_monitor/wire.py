"""Monitor → server: the variables and their changes, as the JSON objects that cross the wire."""

from typing import Literal, NotRequired, TypeAlias, TypedDict

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

# The first element of a path is a variable's name, each further one says what to follow:
# {"index": 3}, {"attr": "hp"} or {"key": a tagged JSON value}.
PathElement: TypeAlias = str | dict[str, JSON]


class Variable(TypedDict):
    """One variable, or one child of a variable, as everyone is shown it."""

    name: str
    type: str
    module: str
    preview: str
    length: int | None
    size_bytes: int
    shape: list[int] | None
    dtype: str | None
    expandable: bool
    settable: bool
    version: int
    value: JSON
    hidden: NotRequired[Literal[True]]
    # It holds more than is looked at for changes.
    truncated: NotRequired[Literal[True]]


class SetChange(TypedDict):
    """A variable was bound, or what it holds was changed."""

    op: Literal["set"]
    name: str
    variable: Variable
    line: int | None


class DeleteChange(TypedDict):
    """A variable is no longer there."""

    op: Literal["delete"]
    name: str
    line: int | None


Change: TypeAlias = SetChange | DeleteChange


class Picture(TypedDict):
    """All variables, or a part of them that one message holds; `total` counts all of them."""

    variables: list[Variable]
    total: int


class Child(Variable):
    """One child of an expanded value: `key` is what to append to the path to reach it."""

    key: PathElement
    label: str


class GetResult(TypedDict):
    """A value and one window of its children; `total` counts all of them."""

    variable: Variable
    children: list[Child]
    total: int
