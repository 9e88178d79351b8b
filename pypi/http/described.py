"""What the description of the API says of a route (OpenAPI 3.1), as values that stand beside it.

Who may ask, and how they show it, is not said here: that is read off the terms of the route.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

JSON = "application/json"

Schema = Mapping[str, Any]
"""JSON Schema, draft 2020-12."""


@frozen(kw_only=True)
class Parameter:
    """A parameter of the query."""

    name: str
    about: str
    schema: Schema


@frozen(kw_only=True)
class Content:
    """A body of JSON, or of what else is said.

    Attributes:
        about: what it is.
        is_needed: whether a request has to have it.
    """

    schema: Schema
    example: Any
    about: str = ""
    media_type: str = JSON
    is_needed: bool = True


@frozen(kw_only=True)
class Operation:
    """What one asks by a route, and what one gets.

    Attributes:
        name: for programs that are made from the description; no other has it.
        summary: a few words.
        about: a paragraph.
        group: heading under which it stands.
        body: of the request, if it has one.
        refusals: statuses beside those that any route of such terms may have.
    """

    name: str
    summary: str
    about: str
    group: str
    answer: Content
    body: Content | None = None
    parameters: Sequence[Parameter] = ()
    refusals: Sequence[int] = ()
