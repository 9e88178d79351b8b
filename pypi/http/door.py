"""Who stands at the door: asked before a route that is not for everybody, and before every form.

A door keeper notes on the request who asks (``identity``, and ``session`` where a browser is signed in),
makes sure that the terms of the route are kept, and reads its form, so that no handler can forget to.
"""

from __future__ import annotations

from typing import Any, Protocol

from pypi.http.answer import Answer
from pypi.http.forms import FormLimits
from pypi.http.terms import Terms

FORM = FormLimits(total=1 << 20, text=1 << 20, parts=1000)
"""Of what people fill in."""


class Door(Protocol):
    """Lets in, sends elsewhere first, or refuses."""

    async def admit(self, request: Any, terms: Terms) -> Answer | None:
        """Let a request in to its route.

        Returns:
            what to answer in the route's place: where to sign in, say; ``None`` to let it answer.

        Raises:
            Refusal: it is not for whoever asks.
        """
