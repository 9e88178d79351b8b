"""Decides who reads: the whole index, or a project of it, by what they show and by what holds now.

Where the index is for everybody, most requests show nothing, and get what everybody gets; so do those that
show something, unless they ask for one of the few projects that are not for everybody. Whoever may not read
one gets the very answer that would be given if it were not there, after the same steps.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from attrs import frozen

from pypi.accounts.errors import NoCredentials, NotForThisToken
from pypi.accounts.readers import Readers
from pypi.accounts.sessions import Sessions
from pypi.domain.errors import Refusal, Unavailable
from pypi.domain.permissions import Access, Credentials, Identity, Permission, may, stricter
from pypi.http.answer import SAFE, Answer, redirect
from pypi.http.credentials import credentials
from pypi.http.negotiate import joined
from pypi.http.next_path import next_path
from pypi.http.reading import Look, Subject
from pypi.http.refused import is_browser, said
from pypi.index.private import Private, PrivateProject
from pypi.web.door import SIGN_IN, Cookies

Known = Callable[[], Awaitable[Identity | None]]
"""Who asks, by what they showed; for as long as that is good."""


class JustPublished(Unavailable):
    """It is for whoever asks, and was not known a moment ago (503)."""

    retry_after = 1

    def __str__(self) -> str:
        return "This was published a moment ago. Try again in a second."


@frozen(kw_only=True, eq=False)
class ReadDoor:
    """Looks who asks, wherever that makes a difference to what they may read.

    Attributes:
        access: who reads the index; projects may be for fewer.
        private: which do so.
        cookies: ``None`` where nobody can be signed in by a browser.
    """

    access: Access
    private: Private
    readers: Readers
    sessions: Sessions
    cookies: Cookies | None

    @property
    def is_closed(self) -> bool:
        """Whether nothing is read without an account."""
        return self.access is not Access.PUBLIC

    def look(self, request: Any, subject: Subject | None) -> Awaitable[Look] | None:
        """Look who asks; ``None`` where everybody gets the same.

        Raises:
            Unauthenticated: nobody known asks an index that is not for everybody.
            Forbidden: the token is for another project.
            Throttled: with too many wrong passwords of late.
            Unavailable: it is not known who may read.
        """
        if self.is_closed:
            return self._closed(request, subject)
        if subject is None:
            return None
        shown = self._shown(request)
        return None if shown == (None, None) else self._open(request, subject, shown)

    def guarded(self, call: Callable[[Any], Awaitable[Answer]]) -> Callable[[Any], Awaitable[Answer]]:
        """A call that reads, and is no route of its own: nobody asks it who may not."""

        async def asked(request: Any) -> Answer:
            if (looking := self.look(request, None)) is not None:
                await looking
            return await call(request)

        return asked

    async def _closed(self, request: Any, subject: Subject | None) -> Look:
        """Nobody unknown reads anything."""
        request.for_readers = True
        known = partial(self._recognised, self._shown(request), request.caller.address)
        identity = await known()
        if identity is None:
            return self._sent_to_sign_in(request)
        request.identity = identity
        project = None if subject is None else self._project(subject)
        if project is not None and await self._may_read(identity, project):
            return Look(is_reader=True)
        await self._check_scope(identity, subject)
        missing = partial(self._make_sure, identity, subject) if project is None else None
        return Look(missing=missing, goes_on=partial(_still, known))

    async def _open(
        self, request: Any, subject: Subject, shown: tuple[str | None, Credentials | None]
    ) -> Look:
        """Whoever is unknown reads as everybody does, and nothing more."""
        known = partial(self._recognised_or_nobody, shown, request.caller.address)
        project = self._project(subject)
        if project is None:

            async def missing() -> None:
                identity = await known()
                if identity is not None:
                    await self._make_sure(identity, subject)

            return Look(missing=missing)
        identity = await known()
        if identity is None or not await self._may_read(identity, project):
            return Look()
        request.for_readers, request.identity = True, identity
        return Look(is_reader=True)

    # --- what is asked about ------------------------------------------------------------------------------

    def _project(self, subject: Subject) -> PrivateProject | None:
        if subject.project is not None:
            return self.private.project(subject.project)
        return self.private.file(subject.file)

    async def _may_read(self, identity: Identity, project: PrivateProject | None) -> bool:
        """The decision; it takes as long for a project that is not there."""
        role = await self.readers.role(identity, project.id if project else 0)
        if project is None:
            return False
        access = stricter(self.access, project.access)
        return may(identity, Permission.READ, project_id=project.id, role=role, access=access)

    async def _make_sure(self, identity: Identity, subject: Subject | None) -> None:
        """Let nobody be told that there is nothing where there is something by now that they may read.

        Raises:
            JustPublished: there is.
        """
        project = None if subject is None else self._project(subject)
        if await self._may_read(identity, project):
            raise JustPublished()

    async def _check_scope(self, identity: Identity, subject: Subject | None) -> None:
        """What is for every account is for a token of one project only where it is about that."""
        project_id = None
        if identity.project_id is not None and subject is not None:
            about = {"name": subject.project or "", "digest": subject.file}
            project_id = (
                identity.project_id if await self.readers.is_about(identity.project_id, **about) else 0
            )
        if not may(identity, Permission.READ, project_id=project_id, access=self.access):
            raise NotForThisToken()

    # --- who asks -----------------------------------------------------------------------------------------

    def _shown(self, request: Any) -> tuple[str | None, Credentials | None]:
        """(secret of a session, credentials), as far as a request shows any."""
        has = request.requestHeaders.hasHeader
        secret = self.cookies.session.read(request) if self.cookies is not None and has("Cookie") else None
        return secret, credentials(request) if has("Authorization") else None

    async def _recognised(
        self, shown: tuple[str | None, Credentials | None], address: str
    ) -> Identity | None:
        secret, given = shown
        session = await self.sessions.read(secret) if secret is not None else None
        if session is not None and not session.is_partial:
            # Whoever runs the index shows more than a password before they see more than others do.
            is_admin = session.is_admin and session.second_factor is not None
            return Identity(user_id=session.user_id, name=session.name, is_admin=is_admin)
        return None if given is None else await self.readers.recognise(given, address)

    async def _recognised_or_nobody(
        self, shown: tuple[str | None, Credentials | None], address: str
    ) -> Identity | None:
        try:
            return await self._recognised(shown, address)
        except Unavailable:
            raise
        except Refusal:
            return None

    def _sent_to_sign_in(self, request: Any) -> Look:
        """People are led to where they sign in; programs are told that they have to."""
        mode = joined(request, "Sec-Fetch-Mode")
        by_page = request.error_page is not None and is_browser(joined(request, "Accept"))
        if mode not in (None, "navigate"):
            # A page asks for a part of it: with a challenge, its browser would ask people for a password.
            return Look(instead=said(request, 401, str(NoCredentials()), phrase=False))
        if self.cookies is None or request.method not in SAFE or not (mode or by_page):
            raise NoCredentials()
        asked = next_path(request.uri.decode("ascii", "replace"), "")
        path = f"{SIGN_IN}?next={quote(asked, safe='/')}" if asked else SIGN_IN
        return Look(instead=redirect(path, 303))


async def _still(known: Known) -> bool:
    try:
        return await known() is not None
    except Refusal:
        return False
