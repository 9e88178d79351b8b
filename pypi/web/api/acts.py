"""What acts have in common: one body is read by one class, and what comes of it is told as another.

The route, its terms, and what the description says of it are made of the same values, so that none of them
says anything that is not so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import wraps
from typing import Any, TypeVar

import orjson

from caching.coalesce import shielded
from pypi.accounts.audit import Kind
from pypi.accounts.throttle import Act
from pypi.domain.errors import Invalid, InvalidField, Refusal
from pypi.domain.permissions import Permission
from pypi.http.answer import Answer
from pypi.http.described import JSON, Content, Operation
from pypi.http.json_bodies import read_json
from pypi.http.router import Router
from pypi.http.terms import calling
from pypi.publishing.status import NoSuccessor
from pypi.publishing.yank import NotThatMany, ReasonUnusable
from pypi.web.api.fields import example_of, needs_body, read, schema_of, written
from pypi.web.api.shapes import Done

MANAGING = "Managing projects"
"""The heading of acts."""

AT_FAULT: Mapping[type[Invalid], str] = {
    ReasonUnusable: "reason",
    NoSuccessor: "successor",
    NotThatMany: "versions",
}
"""Which field of the request is meant by those who know of none."""

T = TypeVar("T")
Handler = Callable[[Any, Any, str, T], Coroutine[Any, Any, Done]]
Answering = Callable[[Any, Any, str], Awaitable[Answer]]


def act(
    router: Router,
    verb: str,
    asks: type[T],
    *,
    permission: Permission,
    event: Kind,
    limit: Act = Act.API_WRITE,
    summary: str,
    about: str,
    refusals: tuple[int, ...] = (),
) -> Callable[[Handler[T]], Answering]:
    """A method that does something to a project: ``POST /api/projects/<name>/<verb>``.

    It is called with the request, the name of the project and what was asked; what it does is done also if
    the client does not wait for it.

    Args:
        asks: the class of what is asked.
        event: what is noted of it.
        limit: how often one may.
        refusals: statuses beside those that every act may have.
    """
    operation = Operation(
        name=verb.replace("-", "_"),
        summary=summary,
        about=about,
        group=MANAGING,
        body=content(asks, is_needed=needs_body(asks)),
        answer=content(Done),
        refusals=refusals,
    )
    terms = calling(permission, audit=event.event, rate_limit=limit.word)

    def decorated(handler: Handler[T]) -> Answering:
        @wraps(handler)
        async def answered(self: Any, request: Any, name: str) -> Answer:
            asked = read(asks, await read_json(request.body, request.getHeader("Content-Type")))
            try:
                return answer(await shielded(handler(self, request, name, asked), Refusal))
            except Invalid as refusal:
                raise _with_field(refusal) from None

        return router.post(f"/api/projects/<name>/{verb}", terms=terms, about=operation)(answered)

    return decorated


def content(cls: type, *, is_needed: bool = True) -> Content:
    """A body that holds an object of a class."""
    return Content(
        about=(cls.__doc__ or "").partition("\n\n")[0],
        schema=schema_of(cls),
        example=example_of(cls),
        is_needed=is_needed,
    )


def answer(value: Any) -> Answer:
    """An object as an answer."""
    return Answer(body=orjson.dumps(written(value), option=orjson.OPT_APPEND_NEWLINE), content_type=JSON)


def _with_field(refusal: Invalid) -> Invalid:
    at_fault = AT_FAULT.get(type(refusal))
    return refusal if at_fault is None else InvalidField(at_fault, str(refusal))
