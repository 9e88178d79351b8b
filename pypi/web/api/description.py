"""``/api/openapi.json``: what can be asked of this index, for programs that write programs (OpenAPI 3.1).

It is made of the very values by which routes answer: paths, terms, bodies. Nothing is said twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from attrs import field, frozen

from caching.compression import gzipped
from caching.policy import DAY, Policy
from pypi import __version__
from pypi.domain import names
from pypi.domain.permissions import OF_ANYBODY
from pypi.http.answer import Answer
from pypi.http.described import JSON, Content, Operation, Parameter, Schema
from pypi.http.router import ALLOWED_HEADERS, Route, Router
from pypi.http.terms import Credential

PLACE = "/api/"
"""Every route below it is described."""

POLICY = Policy(browser=300, edge=300, stale_if_error=DAY, cors=True)

CORS = ("Access-Control-Allow-Headers", ALLOWED_HEADERS)

VARIABLES: Mapping[str, tuple[str, Schema, str]] = {
    "name": (
        "a project, by the name it has now, in any spelling",
        {"type": "string", "minLength": 1, "maxLength": names.MAX_LENGTH},
        "golden-cheese",
    ),
}
"""Variable of a path → what it is, and an example."""

WAYS: list[dict[str, list[str]]] = [{"token": []}, {"basic": []}]
"""How one shows who one is."""

SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token; one for reading alone changes nothing, and one that is good for a "
        "project does nothing to others.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "`__token__` and an API token; or, of an account without a second factor, its name "
        "and password.",
    },
}

REFUSAL: Schema = {
    "title": "Refusal",
    "type": "object",
    "description": "Why not.",
    "properties": {
        "message": {"type": "string", "description": "a sentence for people"},
        "code": {"type": "string", "description": "the status and its name"},
        "title": {"type": "string", "description": "the name of the status"},
        "field": {"type": "string", "description": "which field or parameter is meant, if one is"},
    },
    "required": ["message", "code", "title"],
    "additionalProperties": False,
}

WHY: Mapping[int, str] = {
    400: "Something that was sent is not as it is described.",
    401: "It takes an account, and nobody known asks.",
    403: "Whoever asks may not do this, or what they show is not good for it.",
    404: "There is no such thing, or none that who asks may know of.",
    409: "It contradicts the state of things.",
    413: "The body is too large.",
    415: "The body is not JSON, or is not said to be.",
    429: "Too often: `Retry-After` says when to come again.",
    503: "Something behind the index does not answer at the moment; asking again does no harm.",
}
"""Status → what it means, for any route."""

AGAIN = {"Retry-After": {"schema": {"type": "integer"}, "description": "in seconds"}}
CHALLENGE = {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "how to show who one is"}}
HEADERS: Mapping[int, Any] = {401: CHALLENGE, 429: AGAIN, 503: AGAIN}

ABOUT = (
    "What programs may ask of this index, and what they may do by a token. Errors are JSON, with a sentence "
    "for people. What installers read, the simple index and the JSON API, follows standards of its own."
)


@frozen(kw_only=True, eq=False)
class ApiDescription:
    """Answers with the description.

    Attributes:
        document: JSON.
    """

    router: ClassVar[Router] = Router()
    document: bytes = field(repr=False)
    _packed: bytes = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_packed", gzipped(self.document))

    @router.get(
        "/api/openapi.json",
        policy=POLICY,
        about=Operation(
            name="description",
            summary="This description",
            about="All of the API (OpenAPI 3.1).",
            group="About",
            answer=Content(schema={"type": "object"}, example={"openapi": "3.1.0"}),
        ),
    )
    async def description(self, request: Any) -> Answer:
        """All of it."""
        return Answer(body=self.document, content_type=JSON, headers=(CORS,), gzip=self._packed)


def document(routes: Iterable[Route], *, origin: str, name: str, is_public: bool) -> bytes:
    """The description of an index.

    Args:
        routes: all there are; those that say nothing about themselves are left out.
        origin: its URL.
        name: what it is called.
        is_public: whether everybody reads it.
    """
    described = [route for route in routes if route.about is not None]
    schemas: dict[str, Schema] = {"Refusal": REFUSAL}
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(described, key=lambda route: (route.path, route.method)):
        operation = _operation(route, schemas, is_public=is_public)
        paths.setdefault(_path(route.path), {})[route.method.lower()] = operation
    value = {
        "openapi": "3.1.0",
        "info": {"title": f"{name}: the API", "version": __version__, "description": ABOUT},
        "servers": [{"url": origin}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": SCHEMES,
            "responses": {_name(code): _refused(code) for code in WHY},
        },
    }
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def _path(pattern: str) -> str:
    return re.sub(r"<([a-z]+)>", r"{\1}", pattern)


def _operation(route: Route, schemas: dict[str, Schema], *, is_public: bool) -> dict[str, Any]:
    about = route.about
    assert about is not None
    found: dict[str, Any] = {
        "operationId": about.name,
        "summary": about.summary,
        "description": about.about,
        "tags": [about.group],
        "security": _security(route, is_public=is_public),
        "responses": {"200": _answer(about.answer, schemas)},
    }
    if parameters := [*_of_path(route.path), *map(_of_query, about.parameters)]:
        found["parameters"] = parameters
    if about.body is not None:
        found["requestBody"] = {"required": about.body.is_needed, "content": _content(about.body, schemas)}
    codes = sorted({*_codes(route, is_public=is_public), *about.refusals})
    found["responses"] |= {str(code): {"$ref": f"#/components/responses/{_name(code)}"} for code in codes}
    return found


def _security(route: Route, *, is_public: bool) -> list[dict[str, list[str]]]:
    if Credential.NONE not in route.terms.takes:
        return WAYS
    return [] if is_public or route.terms.permission in OF_ANYBODY else WAYS


def _codes(route: Route, *, is_public: bool) -> Iterator[int]:
    """The statuses that follow from the route and its terms, beside 200."""
    assert route.about is not None
    yield 503
    if _security(route, is_public=is_public):
        yield from (401, 403, 429)
    if route.terms.rate_limit:
        yield 429
    if "<" in route.path:
        yield from (400, 404, 409) if route.writes else (400, 404)
    if route.about.body is not None:
        yield from (400, 413, 415)


def _of_path(pattern: str) -> Iterator[dict[str, Any]]:
    for variable in re.findall(r"<([a-z]+)>", pattern):
        about, schema, example = VARIABLES[variable]
        yield {
            "name": variable,
            "in": "path",
            "required": True,
            "description": about,
            "schema": schema,
            "example": example,
        }


def _of_query(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.about,
        "schema": parameter.schema,
    }


def _answer(content: Content, schemas: dict[str, Schema]) -> dict[str, Any]:
    return {"description": content.about or "What was asked for.", "content": _content(content, schemas)}


def _content(content: Content, schemas: dict[str, Schema]) -> dict[str, Any]:
    return {content.media_type: {"schema": _by_name(content.schema, schemas), "example": content.example}}


def _by_name(schema: Any, schemas: dict[str, Schema]) -> Any:
    """A schema with those that have titles moved to where all can name them."""
    if isinstance(schema, list | tuple):
        return [_by_name(one, schemas) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: _by_name(value, schemas) for key, value in schema.items()}
    title = schema.get("title")
    if not isinstance(title, str):
        return found
    if schemas.setdefault(title, found) != found:
        raise ValueError(f"two schemas are called {title}")
    return {"$ref": f"#/components/schemas/{title}"}


def _refused(code: int) -> dict[str, Any]:
    phrase = HTTPStatus(code).phrase
    example = {"message": WHY[code], "code": f"{code} {phrase}", "title": phrase}
    response: dict[str, Any] = {
        "description": WHY[code],
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Refusal"}, "example": example}},
    }
    if code in HEADERS:
        response["headers"] = HEADERS[code]
    return response


def _name(code: int) -> str:
    return re.sub(r"[^A-Za-z]", "", HTTPStatus(code).phrase.title())
