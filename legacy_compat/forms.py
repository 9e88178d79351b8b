"""Forms and calls sent to ``/pypi``: uploads and registrations of old tools, and XML-RPC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any, ClassVar, Protocol

from attrs import frozen

from legacy_compat import actions
from legacy_compat.said import MALFORMED, MISSING, READ_ONLY, gone
from legacy_compat.spelling import BadQuery, Parameters, pairs
from pypi.domain import names, versions
from pypi.domain.errors import Invalid, Refusal
from pypi.domain.permissions import Identity
from pypi.domain.switches import Switches
from pypi.http.answer import Answer
from pypi.http.bodies import BodyTooLarge
from pypi.http.credentials import credentials
from pypi.http.csrf import Origins
from pypi.http.forms import Form, FormLimits, read_form
from pypi.http.multipart import parse_parameters
from pypi.http.router import Router
from pypi.http.terms import PUBLISHING, reading

XML = frozenset({"text/xml", "application/xml"})

TEXT_ONLY = FormLimits(total=1 << 20, text=1 << 20)
"""Of a form that is read only for what it asks: one that is larger carries a file."""

REGISTERS = frozenset({"submit", "submit_pkg_info"})

Answers = Callable[[Any], Awaitable[Answer]]


class Uploads(Protocol):
    """Who takes files from publishers."""

    async def identify(self, request: Any) -> Identity:
        """Who asks; ``Unauthenticated`` where that is nobody."""

    async def receive(self, request: Any) -> tuple[Identity, Form]:
        """Who uploads, and what; ``Refusal`` where that cannot be read."""

    async def publish(self, identity: Identity, form: Form, request: Any) -> Answer:
        """Publish it."""

    async def drop(self, form: Form) -> None:
        """Forget it."""


@frozen
class Unverified(Invalid):
    """Metadata that ``setup.py register`` wants to have looked at is not acceptable."""

    what: str

    def __str__(self) -> str:
        return f"The {self.what} is not valid."


@frozen(kw_only=True, eq=False)
class Forms:
    """Answers what is posted to the address of the first index.

    Attributes:
        accepts: whether uploads are taken; otherwise they are gone.
        uploads: who takes them.
        upload_url: where uploads are taken.
        call: answers XML-RPC.
        origins: of our own pages.
    """

    router: ClassVar[Router] = Router()
    accepts: bool
    uploads: Uploads
    upload_url: str
    call: Answers
    switches: Switches
    origins: Origins

    async def answer(self, request: Any) -> Answer:
        """The answer to a POST.

        Raises:
            Refusal: the upload is refused, or what is asked for is switched off.
        """
        content_type = request.getHeader("Content-Type")
        if content_type and _media_type(content_type) in XML:
            return await self.call(request)
        try:
            given = pairs(request.query)
        except BadQuery:
            return MALFORMED
        if self.accepts and credentials(request) is not None:
            return await self._received(request, given)
        try:
            form = await self._text(request, content_type)
        except BodyTooLarge:
            return await self._told(request, {"file_upload"})
        except Invalid:
            return MALFORMED
        return await self._told(request, _actions(given, form), form)

    async def _text(self, request: Any, content_type: str | None) -> Form:
        if content_type is None and request.body.length == 0:
            return Form()
        return await read_form(request.body, content_type, limits=TEXT_ONLY)

    # --- of those who show who they are -------------------------------------------------------------------

    @router.post("/pypi?:action=file_upload", terms=PUBLISHING)
    async def _received(self, request: Any, given: tuple[tuple[str, str], ...]) -> Answer:
        self.origins.keep_strangers_out(request)
        identity, form = await self.uploads.receive(request)
        asked = _actions(given, form)
        if asked != {"file_upload"}:
            await self.uploads.drop(form)
            if len(asked) == 1 and asked <= REGISTERS:
                self._use(request, "legacy.register", *asked)
                return _registered(identity)
            return await self._told(request, asked, form)
        try:
            self._use(request, "legacy.upload", "file_upload")
        except Refusal:
            await self.uploads.drop(form)
            raise
        return await self.uploads.publish(identity, form, request)

    # --- of anybody -----------------------------------------------------------------------------------------

    @router.call("/pypi", terms=reading(rate_limit="xmlrpc.client"))
    async def _told(self, request: Any, asked: Collection[str], form: Form | None = None) -> Answer:
        if len(asked) != 1:
            return MALFORMED
        (action,) = asked
        feature = actions.feature_of(action)
        self._use(request, feature)
        if action in actions.READS or action in actions.ACCOUNTS:
            return READ_ONLY
        if action in actions.REGISTRATION or action in actions.GONE:
            return gone(feature)
        if action not in actions.PUBLISHING:
            return MISSING
        if self.accepts and action == "verify":
            return _verified(form)
        if self.accepts and action != "doc_upload":
            # Old tools say who they are only when they are asked; this asks them.
            return _registered(await self.uploads.identify(request))
        return gone(feature, upload_url=self.upload_url)

    def _use(self, request: Any, *names: str) -> None:
        for name in names:
            feature = name if name.startswith("legacy.") else actions.feature_of(name)
            request.used(feature)
            self.switches.check(feature)


def _actions(given: tuple[tuple[str, str], ...], form: Form) -> set[str]:
    sent = [action for action in form.fields.get(actions.KEY, ()) if action]
    return {*Parameters(given).all(actions.KEY), *sent}


def _media_type(content_type: str) -> str:
    try:
        return parse_parameters(content_type)[0]
    except Invalid:
        return ""


def _registered(identity: Identity) -> Answer:
    said = f"Welcome, {identity.name}. Nothing needs to be registered any more: upload your files.\n"
    return Answer(body=said.encode())


def _verified(form: Form | None) -> Answer:
    fields = form.fields if form is not None else {}
    if not names.is_valid("".join(fields.get("name", ())[:1])):
        raise Unverified("name")
    if versions.parse("".join(fields.get("version", ())[:1])) is None:
        raise Unverified("version")
    return Answer(body=b"Name and version are valid.\n")
