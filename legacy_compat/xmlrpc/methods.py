"""What a method is: its name, what it is called with, what comes back; and the table of all of them.

Arguments are checked strictly, in the words of the public index. Where clients of old say a thing in several
ways (a flag as a number, a moment with fractions of a second), all of them are taken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from enum import Enum
from inspect import getdoc, signature
from typing import Any, TypeVar

from attrs import define, field, frozen

from legacy_compat.xmlrpc.faults import invalid_params

Answering = TypeVar("Answering", bound=Callable[..., Awaitable[Any]])

REQUIRED: Any = object()
"""The default of a parameter that has none."""


@frozen
class Kind:
    """What an argument may be.

    Attributes:
        name: in the signature of a method.
        said: what it should be, for people.
        takes: its Python types; ``bool`` is no ``int`` here.
    """

    name: str
    said: str
    takes: tuple[type, ...]


TEXT = Kind("string", "a valid string", (str,))
INTEGER = Kind("int", "a valid integer", (int, float))
"""A double without a fraction is one: Python's client can send no other number beyond 32 bits."""
SECONDS = Kind("int", "a valid number", (int, float))
FLAG = Kind("boolean", "a valid boolean", (bool, int))
ARRAY = Kind("array", "a valid list", (list,))
STRUCT = Kind("struct", "a valid dictionary", (dict,))


class Keep(Enum):
    """How an answer may be kept."""

    UNTIL_TOUCHED = "until a change touches it"
    AT_SERIAL = "as what was true at the last serial"
    FOR_MINUTES = "for some minutes, for nobody tells when it changes"
    NEVER = "not at all"


@frozen
class Parameter:
    """A parameter; ``default`` is ``REQUIRED`` where there is none."""

    name: str
    kind: Kind
    default: Any = REQUIRED


@frozen(kw_only=True)
class Method:
    """A method.

    Attributes:
        function: the name of the method of a room, or of its collaborator, that answers.
        returns: what comes back, in the words of signatures.
        help: what it is for, for people.
    """

    name: str
    function: str
    parameters: tuple[Parameter, ...]
    returns: str
    keep: Keep
    help: str = field(repr=False)

    @property
    def signatures(self) -> list[list[str]]:
        """What comes back and what is called with, for each number of arguments."""
        least = sum(one.default is REQUIRED for one in self.parameters)
        names = [one.kind.name for one in self.parameters]
        return [[self.returns, *names[:count]] for count in range(least, len(names) + 1)]

    def checked(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, all of them, as the function takes them.

        Raises:
            Fault: they are not what it takes; every complaint is in it.
        """
        complaints = list(self._complaints(arguments))
        if complaints:
            raise invalid_params(*complaints)
        missing = [REQUIRED] * (len(self.parameters) - len(arguments))
        return tuple(
            parameter.default if value is REQUIRED or value is None else _as(parameter.kind, value)
            for parameter, value in zip(self.parameters, (*arguments, *missing), strict=True)
        )

    def _complaints(self, arguments: tuple[Any, ...]) -> Iterator[str]:
        for place, parameter in enumerate(self.parameters):
            if place >= len(arguments):
                if parameter.default is REQUIRED:
                    yield f"{parameter.name}: Missing required argument"
            elif not _is(parameter, arguments[place]):
                yield f"{parameter.name}: Input should be {parameter.kind.said}"
        for place in range(len(self.parameters), min(len(arguments), len(self.parameters) + 10)):
            yield f"{place}: Unexpected positional argument"


def _is(parameter: Parameter, value: Any) -> bool:
    if value is None:
        return parameter.default is not REQUIRED
    kind = parameter.kind
    if kind is FLAG:
        return value in (0, 1) and isinstance(value, int)
    if kind is INTEGER and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, kind.takes) and not (isinstance(value, bool) and kind in (INTEGER, SECONDS))


def _as(kind: Kind, value: Any) -> Any:
    if kind is FLAG:
        return bool(value)
    return int(value) if kind is INTEGER else value


@define
class Table:
    """All methods by their names; filled by decorating the functions that answer."""

    methods: dict[str, Method] = field(factory=dict)

    def add(
        self,
        returns: str,
        *,
        keep: Keep = Keep.UNTIL_TOUCHED,
        name: str = "",
        **kinds: Kind,
    ) -> Callable[[Answering], Answering]:
        """The decorated function answers a method; its docstring says what that is for.

        Args:
            name: of the method, if it is not the function's.
            kinds: of its parameters, by their names.
        """

        def added(function: Answering) -> Answering:
            called = name or function.__name__
            self.methods[called] = Method(
                name=called,
                function=function.__name__,
                parameters=tuple(_parameters(function, kinds)),
                returns=returns,
                keep=keep,
                help=getdoc(function) or "",
            )
            return function

        return added

    def __getitem__(self, name: str) -> Method:
        return self.methods[name]

    def get(self, name: str) -> Method | None:
        """The method of that name."""
        return self.methods.get(name)


def _parameters(function: Answering, kinds: Mapping[str, Kind]) -> Iterator[Parameter]:
    found = signature(function).parameters
    for name, kind in kinds.items():
        default = found[name].default
        yield Parameter(name, kind, REQUIRED if default is found[name].empty else default)


TABLE = Table()
"""Every method; ``answers`` and ``resource`` fill it."""
