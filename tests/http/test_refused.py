"""Refusals as answers: the status of each family, the format each client reads."""

from __future__ import annotations

import json

import pytest
from attrs import frozen

from pypi.domain import errors
from pypi.domain.errors import NotOffered, Refusal, StorageFull, TooMany, Unauthenticated, Unavailable
from pypi.http.answer import Answer
from pypi.http.bodies import BodyIncomplete, BodyTooLarge
from pypi.http.refused import CHALLENGE, STATUSES, ErrorPage, is_browser, refused, said, status_of

UV = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7"
SENTENCE = 'No "<cheese>" & no wine, für ж.'


@frozen
class Headers:
    """Of a request, as much as is looked at."""

    accept: str | None

    def getRawHeaders(self, name: str) -> list[str] | None:
        return None if self.accept is None else [self.accept]


@frozen
class Request:
    """A request that accepts something."""

    accept: str | None = None
    method: bytes = b"POST"
    error_page: ErrorPage | None = None
    in_json: bool = False
    session: None = None

    @property
    def requestHeaders(self) -> Headers:
        return Headers(self.accept)


class NoCheese(errors.Invalid):
    def __str__(self) -> str:
        return SENTENCE


@pytest.mark.parametrize(
    ("family", "status"),
    [
        (errors.Invalid, 400),
        (errors.Unauthenticated, 401),
        (errors.Forbidden, 403),
        (errors.NotFound, 404),
        (errors.NotOffered, 405),
        (errors.Conflict, 409),
        (errors.Gone, 410),
        (errors.TooLarge, 413),
        (errors.NotReadHere, 415),
        (errors.TooMany, 429),
        (errors.Unavailable, 503),
        (errors.StorageFull, 507),
        (errors.StorageFailed, 503),
    ],
)
def test_statuses(family: type[Refusal], status: int) -> None:
    """Every family has its status, and so has all that descends from it."""

    class Descendant(family):  # type: ignore[misc,valid-type]
        pass

    assert status_of(family()) == status_of(Descendant()) == status


def test_every_refusal_has_a_status() -> None:
    """No refusal of the whole code base is without a family."""

    def descendants(cls: type[Refusal]) -> set[type[Refusal]]:
        return {cls}.union(*map(descendants, cls.__subclasses__()))

    families = tuple(family for family, _ in STATUSES)
    assert [one for one in descendants(Refusal) if not issubclass(one, families)] == [Refusal]


def headers(answer: Answer) -> dict[str, str]:
    return dict(answer.headers)


def test_headers_of_families() -> None:
    """Who is unknown is asked who they are; who comes too early learns when to come again; who asks for too
    much learns what may be asked."""

    class Later(TooMany):
        retry_after = 77

    assert headers(refused(Request(), Unauthenticated())) == {"WWW-Authenticate": CHALLENGE}
    assert headers(refused(Request(), NotOffered())) == {"Allow": "GET, HEAD, OPTIONS"}
    assert headers(refused(Request(), Later())) == {"Retry-After": "77"}
    assert headers(refused(Request(), Unavailable())) == {"Retry-After": "5"}
    assert headers(refused(Request(), StorageFull())) == {"Retry-After": "5"}
    assert headers(refused(Request(), BodyIncomplete())) == {}


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "text/plain; charset=utf-8"),
        ("", "text/plain; charset=utf-8"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("image/png", "text/plain; charset=utf-8"),
        ("*/*;q=0", "text/plain; charset=utf-8"),
        ("*/*", "text/plain; charset=utf-8"),
        ("text/*", "text/plain; charset=utf-8"),
        ("text/html", "text/plain; charset=utf-8"),
        ("text/html, application/json", "application/json"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, application/json;q=0.6", "application/json"),
        (UV, "application/json"),
    ],
)
def test_formats(accept: str | None, content_type: str) -> None:
    """JSON or text, by what the client accepts; whoever says nothing gets text."""
    answer = refused(Request(accept), NoCheese())
    assert (answer.code, answer.reason, answer.content_type) == (400, SENTENCE, content_type)
    assert isinstance(answer.body, bytes)
    text = answer.body.decode()
    if content_type == "application/json":
        assert list(json.loads(text)) == ["message", "code", "title"]
        assert json.loads(text) == {
            "message": SENTENCE,
            "code": f"400 {SENTENCE}",
            "title": "Bad Request",
        }
    else:
        assert text == f"400 Bad Request\n\n{SENTENCE}\n"


def test_reason_only_for_writes() -> None:
    """Upload tools print the reason phrase; answers to readers keep the standard's."""
    for method in (b"GET", b"HEAD"):
        answer = refused(Request("application/json", method), NoCheese())
        assert answer.reason is None
        assert json.loads(bytes(answer.body))["code"] == "400 Bad Request"  # type: ignore[arg-type]


def test_saying_without_a_refusal() -> None:
    """The router says its own sentences the same way."""
    answer = said(Request(), 405, "GET only.", [("Allow", "GET")], phrase=False)
    assert answer == Answer(
        code=405,
        body=b"405 Method Not Allowed\n\nGET only.\n",
        headers=(("Allow", "GET"),),
    )


@pytest.mark.parametrize("status", sorted({status for _, status in STATUSES}))
def test_titles(status: int) -> None:
    """Every status has a title."""
    assert said(Request(), status, "x").body != b""


def test_sentences_without_a_text_of_their_own() -> None:
    """Numbers in sentences are those of the refusal."""
    body = refused(Request(), BodyTooLarge(1234)).body
    assert b"1234 bytes" in bytes(body)  # type: ignore[arg-type]


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "is_one"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("text/html, application/json;q=0.9", True),
        ("text/html;q=0.5, application/json", False),
        ("text/html;q=0", False),
        (UV, False),
        ("*/*", False),
        ("text/*", False),
        ("", False),
        (None, False),
    ],
)
def test_browsers(accept: str | None, is_one: bool) -> None:
    """A person reads what was asked for as HTML by name, and not rather as something else."""
    assert is_browser(accept) is is_one


def test_page_for_people() -> None:
    """Where people ask, a browser gets the page, with the headers of the refusal; programs get text."""

    def page(request: object, code: int, sentence: str, again: int) -> Answer:
        return Answer(code=code, body=f"{sentence} {again}".encode(), headers=(("X-Page", "1"),))

    answer = refused(Request(BROWSER, b"GET", page), Unavailable())
    assert (answer.code, answer.reason) == (503, None)
    assert answer.headers == (("X-Page", "1"), ("Retry-After", "5"))
    assert bytes(answer.body).endswith(b" 5")  # type: ignore[arg-type]
    assert refused(Request("*/*", b"GET", page), Unavailable()).content_type.startswith("text/plain")
    assert refused(Request(BROWSER, b"GET"), Unavailable()).content_type.startswith("text/plain")


def test_apis_answer_in_json() -> None:
    """Where an API is asked, whatever goes wrong is said in JSON, with the field that is at fault."""
    for accept in (None, BROWSER, "text/plain", "image/png"):
        answer = refused(Request(accept, in_json=True), errors.InvalidField("reason", SENTENCE))
        assert (answer.code, answer.reason, answer.content_type) == (400, None, "application/json")
        assert json.loads(bytes(answer.body)) == {  # type: ignore[arg-type]
            "message": SENTENCE,
            "code": "400 Bad Request",
            "title": "Bad Request",
            "field": "reason",
        }
    elsewhere = refused(Request("application/json"), errors.InvalidField("reason", SENTENCE))
    assert "field" not in json.loads(bytes(elsewhere.body))  # type: ignore[arg-type]
