"""``/api/tokens/revoke``: who finds a token that leaked shows it here, and it is good for nothing any more.

Nothing has to be signed, since whoever has a token could do worse with it; and nobody learns whether what
they show is one, since the answer to everything is the same.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import Kind
from pypi.accounts.issued import AT_ONCE, Tokens
from pypi.accounts.throttle import Act
from pypi.domain.errors import Invalid
from pypi.domain.permissions import Permission
from pypi.http.answer import Answer
from pypi.http.json_bodies import read_json
from pypi.http.router import Router
from pypi.http.terms import Credential, Csrf, Terms
from pypi.web.token_described import REPORT

LARGEST = 64 << 10
"""Bytes of a report."""

REPORTING = Terms(
    takes=frozenset({Credential.NONE}),
    permission=Permission.ENTER,
    csrf=Csrf.COOKIELESS,
    rate_limit=Act.REPORT.word,
    audit=Kind.TOKEN_REVOKED.event,
)
"""Of what anybody may do: the token is all they have to show."""


class NoReport(Invalid):
    """The body shows no tokens, or too many."""

    def __str__(self) -> str:
        return (
            'Send {"token": "…"}, {"tokens": ["…", …]} or [{"token": "…"}, …] as JSON, '
            f"with at most {AT_ONCE} tokens."
        )


@frozen(kw_only=True, eq=False)
class TokenReports:
    """Takes reports of tokens that are no longer secret."""

    router: ClassVar[Router] = Router()
    tokens: Tokens

    @router.post("/api/tokens/revoke", terms=REPORTING, about=REPORT)
    async def report(self, request: Any) -> Answer:
        """Revoke whatever is a token."""
        body = await read_json(request.body, request.getHeader("Content-Type"), limit=LARGEST)
        found = shown(body)
        await self.tokens.report(found, address=request.caller.address)
        told = json.dumps({"received": len(found)}) + "\n"
        return Answer(body=told.encode(), content_type="application/json")


def shown(body: Any) -> list[str]:
    """The texts that a report shows; entries of a list may say more than the token, as those of scanners do.

    Raises:
        NoReport: it shows none, or too many.
    """
    match body:
        case {"tokens": [*texts]}:
            found = texts
        case {"token": text}:
            found = [text]
        case [*entries]:
            found = [entry.get("token") if isinstance(entry, dict) else None for entry in entries]
        case _:
            raise NoReport()
    if not 0 < len(found) <= AT_ONCE or not all(isinstance(text, str) for text in found):
        raise NoReport()
    return found
