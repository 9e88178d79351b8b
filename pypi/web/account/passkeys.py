"""``/account/factors/passkeys/``: passkeys: one more, another name, one less."""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64encode
from typing import Any, ClassVar

from attrs import evolve, frozen
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.audit import Kind
from pypi.accounts.factor_errors import LastFactor, NoSuchPasskey
from pypi.accounts.passkeys import Passkeys
from pypi.domain.errors import Conflict, Invalid
from pypi.http.answer import Answer
from pypi.http.refused import status_of
from pypi.http.router import Router
from pypi.http.terms import Csrf, personal
from pypi.web.account.again import AgainForm
from pypi.web.account.factor_desk import FactorDesk, owner_of
from pypi.web.door import FACTORS
from pypi.web.personal import PERSONAL, after, filled

NEW = "/account/factors/passkeys/new/"


class PasskeyForm(AgainForm):
    """A passkey by a name."""

    name = StringField("Name", [InputRequired("Give it a name."), Length(max=100)])


@frozen(kw_only=True, eq=False)
class PasskeyPages:
    """Looks after one's passkeys."""

    router: ClassVar[Router] = Router()
    desk: FactorDesk
    passkeys: Passkeys

    @router.get(NEW, policy=PERSONAL, terms=personal())
    async def ask(self, request: Any) -> Answer:
        """The form for one more."""
        return await self._new(request, PasskeyForm())

    @router.call("/account/factors/passkeys/new/ask/", terms=evolve(personal(), csrf=Csrf.TOKEN))
    async def options(self, request: Any) -> Answer:
        """What a script asks the browser, once it is proven who they are."""
        form = filled(PasskeyForm, request)
        address = request.caller.address
        await self.desk.again.check(request.session, form.again.data or "", address=address)
        session = request.session
        asked = await self.passkeys.ask_for_new(session.digest, session.user_id, session.name)
        return Answer(body=asked.encode(), content_type="application/json")

    @router.post(NEW, terms=personal(audit=Kind.PASSKEY_ADDED.event))
    async def add(self, request: Any) -> Answer:
        """Take what the browser made; that it was asked proves who they are."""
        form = filled(PasskeyForm, request)
        if not form.validate():
            return await self._new(request, form, 400)
        answer = (request.form.fields.get("answer") or [""])[0]
        try:
            await self.passkeys.add(
                request.session.digest, owner_of(request), answer, name=form.name.data or ""
            )
        except (Conflict, Invalid) as refusal:
            form.form_errors = [str(refusal)]
            return await self._new(request, form, status_of(refusal))
        return await self.desk.has_added(request, "passkey", by="passkey")

    @router.get("/account/factors/passkeys/<passkey>/", policy=PERSONAL, terms=personal())
    async def one(self, request: Any, passkey: str) -> Answer:
        """One of them."""
        return await self._one(request, passkey, None)

    @router.post(
        "/account/factors/passkeys/<passkey>/rename/", terms=personal(audit=Kind.PASSKEY_RENAMED.event)
    )
    async def rename(self, request: Any, passkey: str) -> Answer:
        """Call it something else."""
        form = filled(PasskeyForm, request)
        if not form.validate():
            return await self._one(request, passkey, form, 400)
        await self.passkeys.rename(owner_of(request), read(passkey), form.name.data or "")
        return after(FACTORS, "passkey-renamed")

    @router.post(
        "/account/factors/passkeys/<passkey>/remove/", terms=personal(audit=Kind.PASSKEY_REMOVED.event)
    )
    async def remove(self, request: Any, passkey: str) -> Answer:
        """Let it be good for nothing here."""
        form = filled(PasskeyForm, request)
        if not await self.desk.is_proven(form, request):
            return await self._one(request, passkey, form, 403)
        try:
            await self.desk.second_factors.remove_passkey(owner_of(request), read(passkey))
        except LastFactor as refusal:
            form.form_errors = [str(refusal)]
            return await self._one(request, passkey, form, 403)
        return await self.desk.has_removed(request, "passkey-removed")

    async def _new(self, request: Any, form: PasskeyForm, code: int = 200) -> Answer:
        site = self.passkeys.site
        return await self.desk.page(request, "account/passkey_new.html", form, path=NEW, code=code, site=site)

    async def _one(self, request: Any, passkey: str, form: PasskeyForm | None, code: int = 200) -> Answer:
        wanted = read(passkey)
        found = next(
            (one for one in await self.passkeys.of(request.session.user_id) if one.id == wanted), None
        )
        if found is None:
            raise NoSuchPasskey()
        path = f"/account/factors/passkeys/{written(wanted)}/"
        form = PasskeyForm(data={"name": found.name}) if form is None else form
        return await self.desk.page(
            request, "account/passkey_one.html", form, path=path, code=code, passkey=found
        )


def written(passkey: bytes) -> str:
    """The id of a passkey as it stands in an address (RFC 4648, section 5)."""
    return urlsafe_b64encode(passkey).decode().rstrip("=")


def read(text: str) -> bytes:
    """The id in an address.

    Raises:
        NoSuchPasskey: it is none.
    """
    try:
        return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise NoSuchPasskey() from None
