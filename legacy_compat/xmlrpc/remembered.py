"""Calls that were understood before, by their bytes: clients repeat themselves byte for byte."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

from attrs import define, field, frozen

from caching.lane import BESIDE
from legacy_compat.xmlrpc.calls import Call, parse
from legacy_compat.xmlrpc.faults import no_such_method
from legacy_compat.xmlrpc.methods import TABLE, Method

MOST = 2048
"""Bodies remembered; the oldest is forgotten first."""

LONGEST = 4096
"""Bytes of a body that is remembered."""


@frozen(eq=False)
class Asked:
    """A call that is known to be one.

    Attributes:
        arguments: checked; all of them.
        address: under which caches keep its answer; no path can be that.
    """

    method: Method
    arguments: tuple[Any, ...]
    address: bytes

    @classmethod
    def of(cls, call: Call) -> Asked:
        """The call, if there is such a method, and it is called so.

        Raises:
            Fault: there is none, or it takes other arguments.
        """
        method = TABLE.get(call.method)
        if method is None:
            raise no_such_method()
        arguments = method.checked(call.arguments)
        said = json.dumps([method.name, *arguments], sort_keys=True, default=repr).encode()
        return cls(method, arguments, b"/RPC2" + BESIDE + blake2b(said, digest_size=16).hexdigest().encode())


@define(eq=False)
class Remembered:
    """What was understood lately."""

    _asked: dict[bytes, Asked] = field(factory=dict, init=False, repr=False)

    def get(self, body: bytes) -> Asked | None:
        """What these bytes ask for, if that is known."""
        return self._asked.get(body)

    def understand(self, body: bytes) -> Asked:
        """What these bytes ask for.

        Raises:
            Fault: nobody can tell, or nobody could answer.
        """
        asked = Asked.of(parse(body))
        if len(body) <= LONGEST:
            while len(self._asked) >= MOST:
                del self._asked[next(iter(self._asked))]
            self._asked[body] = asked
        return asked
