"""Refusals as answers: the status of each family, in the format the client reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from http import HTTPStatus
from typing import Any

from pypi.domain.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    NotOffered,
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
FORMATS = ("text/html", "application/json")


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal."""
    return next(code for family, code in STATUSES if isinstance(refusal, family))


def refused(request: Any, refusal: Refusal) -> Answer:
    """A refusal as the answer this client can read: its sentence as reason phrase and in the body."""
    headers: list[tuple[str, str]] = []
    if isinstance(refusal, Unauthenticated):
        headers.append(("WWW-Authenticate", CHALLENGE))
    if isinstance(refusal, NotOffered):
        headers.append(("Allow", OFFERED))
    if isinstance(refusal, TooMany | Unavailable):
        headers.append(("Retry-After", str(refusal.retry_after)))
    # Upload tools print the reason phrase; everybody else reads the body.
    return said(request, status_of(refusal), str(refusal), headers, phrase=request.method == b"POST")


def said(
    request: Any, code: int, sentence: str, headers: Sequence[tuple[str, str]] = (), *, phrase: bool = True
) -> Answer:
    """A status with one sentence, as HTML, JSON or text by what the client accepts.

    Args:
        phrase: whether the sentence is also the reason phrase, which upload tools show.
    """
    title = HTTPStatus(code).phrase
    status = f"{code} {sentence if phrase else title}"
    accept = joined(request, "Accept")
    kind = best(accept, FORMATS) if accepted(accept) else None
    if kind == "application/json":
        body = json.dumps({"message": sentence, "code": status, "title": title}, ensure_ascii=False) + "\n"
        content_type = kind
    elif kind == "text/html":
        body = _page(status if not phrase else f"{code} {title}", sentence)
        content_type = "text/html; charset=utf-8"
    else:
        body = f"{code} {title}\n\n{sentence}\n"
        content_type = "text/plain; charset=utf-8"
    return Answer(
        code=code,
        reason=sentence if phrase else None,
        body=body.encode(),
        content_type=content_type,
        headers=tuple(headers),
    )


def _page(title: str, sentence: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head>\n"
        f"<body><h1>{escape(title)}</h1>\n<p>{escape(sentence)}</p></body></html>\n"
    )
