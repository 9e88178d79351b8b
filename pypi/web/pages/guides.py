"""Pages that explain: how to connect, what can be followed, and answers to what people ask."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from attrs import evolve, frozen

from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.publishing.rules import Rules
from pypi.web.pages.connect import CLIENTS, Here
from pypi.web.templates import PAGE, Templates

SITE = ("site",)
"""Of what no change of the catalogue touches, but an operator who purges by hand."""


@frozen
class Contact:
    """Whom to ask and to tell.

    Attributes:
        words: as the operator gave them; empty if nobody is to be asked.
        url: where they lead; empty if nowhere.
    """

    words: str
    url: str

    @classmethod
    def of(cls, words: str) -> Contact:
        """A contact that is an e-mail address, a URL, or something to read."""
        if words.startswith(("https://", "http://")):
            return cls(words, words)
        if "@" in words and " " not in words:
            return cls(words, f"mailto:{quote(words, safe='@+')}")
        return cls(words, "")


@frozen(kw_only=True, eq=False)
class Guides:
    """What is the same until the next release of Cheeseshop, or until its operator says otherwise.

    Attributes:
        rules: what publishers may send.
        registration: whether one may make an account for oneself.
        confirming: whether mail has to confirm who shows a code in a new browser.
        is_private: whether nothing is read without an account.
    """

    router: ClassVar[Router] = Router()
    templates: Templates
    here: Here
    contact: Contact
    rules: Rules
    registration: bool = False
    confirming: bool = False
    is_private: bool = False

    @router.get("/connect/", policy=PAGE, tags=SITE)
    async def connect(self, request: Any) -> Answer:
        """What to paste into which client."""
        return self._page(request, "connect", clients=CLIENTS, is_private=self.is_private)

    @router.get("/feeds/", policy=PAGE, tags=SITE)
    async def feeds(self, request: Any) -> Answer:
        """What can be followed."""
        return self._page(request, "feeds")

    @router.get("/help/", policy=PAGE, tags=SITE)
    async def help(self, request: Any) -> Answer:
        """Questions and answers."""
        return self._page(request, "help", rules=self.rules)

    @router.get("/help/api/", policy=PAGE, tags=SITE)
    async def api(self, request: Any) -> Answer:
        """What programs may ask."""
        return self._page(request, "api")

    @router.get("/security/", policy=PAGE, tags=SITE)
    async def security(self, request: Any) -> Answer:
        """How files are kept, and whom to tell of trouble."""
        return self._page(request, "security", confirming=self.confirming)

    @router.get("/help/accounts/", policy=PAGE, tags=SITE)
    async def accounts(self, request: Any) -> Answer:
        """How one comes by an account and a token."""
        return self._page(request, "accounts", registration=self.registration, confirming=self.confirming)

    def _page(self, request: Any, name: str, **values: Any) -> Answer:
        page = self.templates.page(
            f"pages/{name}.html", path=request.text_path, here=self.here, contact=self.contact, **values
        )
        return evolve(page, tags=SITE)
