"""Bodies of JSON, bounded: in size, in depth, and in how many digits a number has (RFC 8259)."""

from __future__ import annotations

from typing import Any

import orjson
from attrs import frozen

from pypi.domain.errors import Invalid, NotReadHere
from pypi.http.bodies import Body
from pypi.http.multipart import MalformedForm, parse_parameters

LARGEST = 64 << 10
"""Bytes; what reads them goes no deeper than some thousand levels, and takes no number beyond a double."""


@frozen
class NotJson(Invalid):
    """The body is no JSON.

    Attributes:
        detail: what is wrong with it, in the words of who read it.
    """

    detail: str

    def __str__(self) -> str:
        return f"The body of this request is not JSON: {self.detail}."


class NotAsJson(NotReadHere):
    """The body is not said to be JSON."""

    def __str__(self) -> str:
        return "The body of this request has to be JSON, with Content-Type: application/json."


async def read_json(body: Body, content_type: str | None, *, limit: int = LARGEST) -> Any:
    """The value in a body; ``None`` where there is no body at all.

    Raises:
        BodyTooLarge: it is larger than ``limit``.
        BodyIncomplete: the client went away.
        NotAsJson, NotJson: it is something else.
    """
    data = await body.read(limit)
    if not data:
        return None
    if not is_json(content_type):
        raise NotAsJson()
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise NotJson(str(error)) from None


def is_json(content_type: str | None) -> bool:
    """Whether a Content-Type says JSON, in the only encoding it has."""
    try:
        kind, parameters = parse_parameters(content_type or "")
    except MalformedForm:
        return False
    return kind == "application/json" and parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8")
