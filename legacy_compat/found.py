"""What old addresses ask for, looked up: a question in, an answer out.

A ``Location`` is made of the configured origin and of what was looked up, every part of it escaped; of what a
client has sent only the words it searches for come back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from attrs import evolve, field, frozen

from caching.policy import Policy
from legacy_compat.files import key, same
from legacy_compat.questions import (
    Digest,
    Document,
    Elsewhere,
    File,
    Gone,
    Links,
    Malformed,
    Missing,
    Page,
    Project,
    Question,
    Stored,
    Text,
    User,
)
from legacy_compat.said import (
    AT_ONCE,
    MALFORMED,
    MISSING,
    MOVED,
    MOVED_FILE,
    MOVED_LINKS,
    NEVER,
    NO_DOCUMENT,
    NO_PROJECT,
    gone,
)
from pypi.domain.names import normalize
from pypi.http.answer import Answer, redirect
from pypi.http.noted import Noted
from pypi.http.router import Router
from pypi.index.lookups import ListedFile, Lookups

MOMENT = "%Y%m%dT%H:%M:%S\n"
"""How mirrors were told the time (PEP 381)."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
METADATA = ".metadata"


def escaped(*parts: str) -> str:
    """Parts of a path, with slashes between them."""
    return "/".join(quote(part, safe="") for part in parts)


@frozen(kw_only=True, eq=False)
class Found:
    """Answers questions of ``legacy_compat.questions``; each of its routes is a kind of them.

    Attributes:
        origin: URL of this index, without a slash at its end.
        files_url: what stands before ``/packages/…`` in the URLs of files.
        signed: whether a signature lies beside the file at a store path.
        classifiers: all that are in use, in their order.
        now: aware, UTC.
    """

    router: ClassVar[Router] = Router()
    lookups: Lookups
    origin: str
    files_url: str
    signed: Callable[[str], Awaitable[bool]]
    classifiers: Sequence[str]
    now: Callable[[], datetime]
    _noted: dict[str, Noted] = field(init=False)

    @_noted.default
    def _routes(self) -> dict[str, Noted]:
        return {route.handler: Noted(route.path) for route in self.router.routes}

    def noted(self, question: Question) -> Noted | None:
        """The counters of its kind; ``None`` of what asks for nothing."""
        return self._noted.get(_kind(question))

    async def answer(self, question: Question, base: str) -> Answer:
        """The answer to a question.

        Args:
            base: what to put before the paths of pages: the origin, or nothing where it is the origin's host
                that was asked.
        """
        answer: Answer = await getattr(self, _kind(question))(question, base)
        return answer

    # --- pages ----------------------------------------------------------------------------------------------

    @router.get("/pypi", policy=AT_ONCE)
    async def page(self, question: Page, base: str) -> Answer:
        """One of our own addresses, known beforehand."""
        query = urlencode(question.query, safe="/" if question.path == "/simple/" else "")
        return _moved(f"{base}{question.path}{'?' if query else ''}{query}", policy=MOVED)

    @router.get("/pypi/<name>/<version>/", policy=MOVED, tags=("project/<name>",))
    async def project(self, question: Project, base: str) -> Answer:
        """The page of a project or release, under the name it is registered by."""
        found = await self._registered(question.name, question.version)
        tags = (f"project/{question.name}",)
        if found is None:
            return _missing(tags)
        fragment = f"#{question.fragment}" if question.fragment else ""
        return _moved(f"{base}/project/{escaped(*found)}/{fragment}", tags)

    @router.get("/pypi?:action=json&name=<name>", policy=MOVED, tags=("project/<name>",))
    async def document(self, question: Document, base: str) -> Answer:
        """A project or release in JSON, under the normalized form of its name."""
        found = await self._registered(question.name, question.version)
        tags = (f"project/{question.name}",)
        if found is None:
            by_path = question.feature == "legacy.json"
            return _missing(tags, NO_DOCUMENT if by_path else MISSING)
        return _moved(f"{base}/pypi/{escaped(normalize(found[0]), *found[1:])}/json", tags)

    @router.get("/simple/<Name>", policy=MOVED_LINKS, tags=("project/<name>",))
    async def links(self, question: Links, base: str) -> Answer:
        """The page of a project in the simple index."""
        tags = (f"project/{question.name}",)
        if await self.lookups.project(question.name) is None:
            return _missing(tags, NO_PROJECT)
        query = f"?format={quote(question.format)}" if question.format else ""
        return _moved(f"{base}/simple/{escaped(question.name)}/{query}", tags)

    async def _registered(self, name: Any, version: str | None) -> tuple[str, ...] | None:
        if version is None:
            registered = await self.lookups.project(name)
            return None if registered is None else (registered,)
        return await self.lookups.release(name, version) if version.isascii() else None

    @router.get("/u/<name>/", policy=AT_ONCE)
    async def user(self, question: User, base: str) -> Answer:
        """The page of somebody."""
        name = await self.lookups.user(question.name) if question.name.isascii() else None
        return MISSING if name is None else _moved(f"{base}/user/{escaped(name)}/", policy=MOVED)

    # --- files ----------------------------------------------------------------------------------------------

    @router.get(
        "/packages/<python>/<letter>/<project>/<filename>", policy=MOVED_FILE, tags=("project/<name>",)
    )
    async def file(self, question: File, base: str) -> Answer:
        """A file by its name, in any spelling; or the signature beside it, if one was kept."""
        tags = (f"project/{question.project}",)
        found = await self._file(question)
        if found is None:
            return _missing(tags)
        path = self._path(found)
        if question.signature:
            path += ".asc"
            if not await self.signed(path):
                return _missing(tags)
        return _moved(self._file_url(path, base), tags, code=302)

    @router.get(
        "//old-host/packages/<first>/<second>/<rest>/<filename>", policy=MOVED_LINKS, tags=("project/<name>",)
    )
    async def stored(self, question: Stored, base: str) -> Answer:
        """A file by its content, asked of an old host."""
        found = await self.lookups.stored(question.blake2_256)
        if found is None:
            return MISSING
        tags = (f"project/{found.project}",)
        path = self._path(found)
        if found.has_metadata and question.filename == found.filename + METADATA:
            path += METADATA
        elif question.filename != found.filename:
            return _missing(tags)
        return _moved(self._file_url(path, base), tags)

    async def _file(self, question: File) -> ListedFile | None:
        """The file that bears this very name, or else means the same version and kind of file."""
        found = await self.lookups.file(question.filename) if question.filename.isascii() else None
        if found is not None:
            return found if found.project == question.project else None
        sought = key(question.project, question.filename)
        if sought is None:
            return None
        files = await self.lookups.files_of(question.project, sought[0])
        return same(question.project, sought, [(file.filename, file) for file in files])

    def _path(self, found: ListedFile) -> str:
        digest = found.blake2_256
        return f"{digest[:2]}/{digest[2:4]}/{digest[4:]}/{found.filename}"

    def _file_url(self, path: str, base: str) -> str:
        base = base if self.files_url == self.origin else self.files_url
        return f"{base}/packages/{escaped(*path.split('/'))}"

    # --- a few words ----------------------------------------------------------------------------------------

    @router.get("/pypi?:action=show_md5", policy=AT_ONCE)
    async def digest(self, question: Digest, base: str) -> Answer:
        """Says a digest back, if a file has it."""
        return Answer(body=question.md5.encode()) if await self.lookups.has_md5(question.md5) else MISSING

    @router.get("/daytime", policy=AT_ONCE)
    async def text(self, question: Text, base: str) -> Answer:
        """What mirrors and build tools ask for."""
        match question.what:
            case "classifiers":
                return Answer(body="\n".join(self.classifiers).encode())
            case "daytime":
                said = self.now().strftime(MOMENT)
            case "serial":
                said = str(await self.lookups.last_serial())
            case _:
                said = (await self.lookups.last_change() or EPOCH).astimezone(UTC).strftime(MOMENT)
        return Answer(body=said.encode(), headers=(NEVER,))

    @router.get("//old-docs-host/<project>/<path>", policy=AT_ONCE)
    async def elsewhere(self, question: Elsewhere, base: str) -> Answer:
        """Where the operator says that documentation has gone."""
        rest = f"/{escaped(*question.rest)}" if question.rest else ""
        return _moved(question.url + rest, code=302, policy=MOVED)

    # --- nothing --------------------------------------------------------------------------------------------

    @router.get("/serversig/<name>", policy=AT_ONCE)
    async def gone(self, question: Gone, base: str) -> Answer:
        """What will not come back."""
        return gone(question.feature, upload_url=f"{self.origin}/legacy/" if question.publishing else "")

    async def missing(self, question: Missing, base: str) -> Answer:
        """Nothing, and never was."""
        return NO_PROJECT if question.feature == "legacy.simple" else MISSING

    async def malformed(self, question: Malformed, base: str) -> Answer:
        """What contradicts itself."""
        return MALFORMED


POLICIES = {route.handler: route.policy for route in Found.router.routes}


def policy_of(question: Question) -> Policy:
    """How answers to questions of its kind are kept."""
    return POLICIES.get(_kind(question), AT_ONCE)


def _kind(question: Question) -> str:
    return type(question).__name__.lower()


def _moved(
    location: str, tags: tuple[str, ...] = (), *, code: int = 301, policy: Policy | None = None
) -> Answer:
    answer = redirect(location, code)
    return Answer(code=code, headers=answer.headers, body=answer.body, tags=tags, policy=policy)


def _missing(tags: tuple[str, ...], answer: Answer = MISSING) -> Answer:
    return evolve(answer, tags=tags)
