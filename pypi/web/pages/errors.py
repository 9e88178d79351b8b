"""What people are told when something went wrong: a page like all others, made of nothing but words."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen

from pypi.http.answer import Answer
from pypi.web.templates import Templates

TITLES = {
    400: "That was not understood",
    401: "Who are you?",
    403: "This is not for you",
    404: "There is nothing at this address",
    405: "That cannot be done here",
    409: "That contradicts what is here",
    410: "This is gone for good",
    413: "That is too large",
    415: "That cannot be read here",
    429: "One moment, please",
    500: "Our mistake",
    503: "The index is catching its breath",
    507: "The index is full",
}
"""Headings; a status of none of them is told by its number."""

SPECIAL = frozenset({403, 404, 405, 410, 429, 500, 503})
"""Statuses with words of their own, in a template of their own."""

PERSONAL = ("/account/", "/admin/", "/manage/")
"""Beginnings of addresses which name nothing that one could search for."""

# What somebody may have meant as the name of a project.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", re.ASCII)


@frozen(eq=False)
class ErrorPages:
    """Makes them, without asking anybody: they have to be there when nothing else is."""

    templates: Templates

    def __call__(self, request: Any, code: int, sentence: str, again: int) -> Answer:
        """The page for a status.

        Args:
            sentence: what is wrong, as programs are told.
            again: seconds after which to try again; 0: not known.
        """
        heading = TITLES.get(code, f"That did not work ({code})")
        return self.templates.page(
            f"errors/{code if code in SPECIAL else 'other'}.html",
            code=code,
            status=code,
            heading=heading,
            sentence="" if sentence.rstrip(".") == heading else sentence,
            again=again,
            words=words_of(request.text_path) if code == 404 else "",
        )


def words_of(path: str) -> str:
    """What to search for instead of an address where nothing is; empty where nothing suggests itself."""
    if path.startswith(PERSONAL):
        return ""
    last = path.rstrip("/").rpartition("/")[2]
    return last if _NAME.fullmatch(last) else ""
