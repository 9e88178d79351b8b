"""Refusals as answers: the status of each family, in the format the client reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from attrs import evolve

from pypi.domain.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    InvalidField,
    NotFound,
    NotOffered,
    NotReadHere,
    Refusal,
    StorageFull,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from pypi.http.answer import Answer
from pypi.http.negotiate import accepted, best, joined

STATUSES: Sequence[tuple[type[Refusal], int]] = (
    (StorageFull, 507),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (NotOffered, 405),
    (Gone, 410),
    (Conflict, 409),
    (TooLarge, 413),
    (NotReadHere, 415),
    (TooMany, 429),
    (Unavailable, 503),
    (Invalid, 400),
)
"""The first family a refusal belongs to decides; ``pypi.http.refused`` is the only place that knows."""

OFFERED = "GET, HEAD, OPTIONS"
"""What may be asked instead where something else is not offered."""

CHALLENGE = 'Basic realm="pypi", charset="UTF-8"'
"""The realm is the one ``setup.py register`` of old expects; for another it keeps its credentials back."""

TITLES = {507: "Insufficient Storage"}
PLAIN = "text/plain"
JSON = "application/json"
HTML = "text/html"

ErrorPage = Callable[[Any, int, str, int], Answer]
"""Request, status, sentence, seconds after which to try again (0: not known) -> a page for people."""


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal."""
    return next(code for family, code in STATUSES if isinstance(refusal, family))


def refused(request: Any, refusal: Refusal) -> Answer:
    """A refusal as the answer this client can read: its sentence as reason phrase and in the body."""
    headers: list[tuple[str, str]] = []
    if isinstance(refusal, Unauthenticated) and request.session is None:
        headers.append(("WWW-Authenticate", CHALLENGE))
    if isinstance(refusal, NotOffered):
        headers.append(("Allow", OFFERED))
    if isinstance(refusal, TooMany | Unavailable):
        headers.append(("Retry-After", str(refusal.retry_after)))
    # Upload tools print the reason phrase; everybody else reads the body.
    phrase = request.method == b"POST" and not request.in_json
    at_fault = refusal.field if isinstance(refusal, InvalidField) and request.in_json else ""
    return said(request, status_of(refusal), str(refusal), headers, phrase=phrase, at_fault=at_fault)


def said(
    request: Any,
    code: int,
    sentence: str,
    headers: Sequence[tuple[str, str]] = (),
    *,
    phrase: bool = True,
    at_fault: str = "",
) -> Answer:
    """A status with one sentence: as a page for people who came by a browser, else as JSON or text.

    Args:
        phrase: whether the sentence is also the reason phrase, which upload tools show.
        at_fault: the field it is about, for programs.
    """
    accept = joined(request, "Accept")
    if request.error_page is not None and is_browser(accept):
        again = next((int(value) for name, value in headers if name == "Retry-After"), 0)
        answer: Answer = request.error_page(request, code, sentence, again)
        return evolve(answer, headers=(*answer.headers, *headers), reason=sentence if phrase else None)
    title = HTTPStatus(code).phrase
    if request.in_json or (accepted(accept) and best(accept, (PLAIN, JSON)) == JSON):
        document = {"message": sentence, "code": f"{code} {sentence if phrase else title}", "title": title}
        if at_fault:
            document["field"] = at_fault
        body = json.dumps(document, ensure_ascii=False) + "\n"
        content_type = JSON
    else:
        body = f"{code} {title}\n\n{sentence}\n"
        content_type = f"{PLAIN}; charset=utf-8"
    return Answer(
        code=code,
        reason=sentence if phrase else None,
        body=body.encode(),
        content_type=content_type,
        headers=tuple(headers),
    )


def shown(request: Any, answer: Answer) -> Answer:
    """A refusal in plain text as the page for people who came by a browser; anything else as it is."""
    is_plain = answer.code >= 400 and answer.content_type.startswith(PLAIN)
    if request.error_page is None or not is_plain or not isinstance(answer.body, bytes):
        return answer
    sentence = answer.body.decode().partition("\n\n")[2].strip()
    page: Answer = request.error_page(request, answer.code, sentence, 0)
    return evolve(
        answer, body=page.body, content_type=page.content_type, headers=(*page.headers, *answer.headers)
    )


def is_browser(accept: str | None) -> bool:
    """Whether a person reads the answer: whoever says that any type is welcome is a program."""
    named = any((one.type, one.subtype) == ("text", "html") and one.quality for one in accepted(accept))
    return named and best(accept, (HTML, PLAIN, JSON)) == HTML
