"""What is said of old addresses: constant answers, in which nothing of the request appears, and policies."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from caching.policy import DAY, Policy
from pypi.domain.features import FEATURES
from pypi.http.answer import Answer
from pypi.http.hosts import MISDIRECTED
from pypi.http.refused import is_browser

PAGE, LINE = "page", "line"
"""How a refusal is said: to people and to programs."""


def reader(accept: str | None, query: Mapping[str, str]) -> str:
    """Who reads an answer; all are led on alike, and only refusals differ, which nobody else keeps."""
    return PAGE if is_browser(accept) else LINE


MOVED = Policy(browser=DAY, edge=DAY, keep=DAY, local=True, stale_if_error=DAY, variant=reader)
"""For a day: a redirect that is kept for ever cannot be taken back."""

MOVED_LINKS = evolve(MOVED, cors=True, variant=None)
MOVED_FILE = evolve(MOVED, browser=7 * DAY, variant=None)
AT_ONCE = Policy()
"""For what is made without looking anything up, or is true for a moment only."""

READS = "GET, HEAD, OPTIONS"
READS_AND_FORMS = "GET, HEAD, OPTIONS, POST"

FOR_A_YEAR = ("Cache-Control", "public, max-age=31557600")
NEVER = ("Cache-Control", "no-store")

_TITLES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    410: "Gone",
    421: "Misdirected Request",
}


def said(code: int, sentence: str, *headers: tuple[str, str]) -> Answer:
    """A refusal in plain text; who asked by a browser may be shown a page with its sentence instead."""
    return Answer(code=code, body=f"{code} {_TITLES[code]}\n\n{sentence}\n".encode(), headers=headers)


def gone(feature: str, *, upload_url: str = "") -> Answer:
    """What is said of something that will not come back.

    Args:
        feature: its name.
        upload_url: where publishing goes on; empty for what has nothing to do with that.
    """
    what = FEATURES[feature]
    instead = f"Publish to {upload_url} instead." if upload_url else what.replacement
    return said(410, f"{what.title} is gone. {instead}", FOR_A_YEAR, ("Vary", "Accept"))


def allowed(methods: str) -> Answer:
    """What may be asked of an address."""
    return Answer(code=204, headers=(("Allow", methods),))


MISSING = said(404, "There is nothing at this address.")
NO_PROJECT = evolve(said(404, "There is no project named like this on this index."), policy=MOVED_LINKS)
NO_DOCUMENT = Answer(code=404, body=b'{"message": "Not Found"}\n', content_type="application/json")
MALFORMED = said(400, "This address contradicts itself, or is not text.")
READ_ONLY = said(405, "This address is only there to be read.", ("Allow", READS))
NO_METHOD = said(405, "This address is there to be read, and takes forms.", ("Allow", READS_AND_FORMS))
NOT_OURS = said(421, MISDIRECTED)
INSECURE = said(403, "SSL is required.")
