"""``/packages/…``: the files themselves, addressed by their content and so kept for ever by whoever likes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, ClassVar

from attrs import evolve, frozen

from caching.conditional import Conditions
from caching.kept_files import AtHand, untold
from caching.policy import DAY, FOR_EVER, Policy
from pypi.domain.cache_tags import files_tag
from pypi.domain.errors import NoSuchFile
from pypi.domain.filenames import name_in
from pypi.files import paths
from pypi.files.paths import StorePath
from pypi.files.store import FileStore, StoredFile
from pypi.http.answer import Answer
from pypi.http.ranges import ByteRange, Content, DownloadPlan, body, plan_download
from pypi.http.reading import Of
from pypi.http.router import Router
from pypi.http.streams import FilePart, Stream
from pypi.web.downloads_handoff import Handoff

FILE: Policy = evolve(FOR_EVER, edge=365 * DAY, cors=True)

SAFE_TO_OPEN = (
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
)
"""Somebody else's bytes: no browser shall run them in the name of this index."""


@frozen(kw_only=True, eq=False)
class Downloads:
    """Hands out files and the core metadata beside them (PEP 658).

    Attributes:
        random_bytes: for boundaries between the parts of an answer.
        handoff: who sends the bytes; ``None``: we do.
        count: is told the BLAKE2b-256 of each file that was sent whole, or will be by somebody else;
            ``None`` where nobody counts.
        withheld: BLAKE2b-256 of the files that are not handed out.
        for_everybody: whether others may be given the same file without being heard here.
        settle: is waited for with a file's BLAKE2b-256 and when it was stored, before it is handed out: what
            is known of it then counts.
    """

    router: ClassVar[Router] = Router()
    files: FileStore
    random_bytes: Callable[[int], bytes]
    handoff: Handoff | None = None
    count: Callable[[str], object] | None = None
    withheld: Callable[[], Container[str]] = frozenset
    for_everybody: bool = True
    settle: Callable[[str, float], Awaitable[object]] | None = None

    @router.get(
        "/packages/<first>/<second>/<rest>/<filename>", policy=FILE, tags=("files/<name>",), of=Of.FILE
    )
    async def file(self, request: Any, first: str, second: str, rest: str, filename: str) -> Answer:
        """A file, whole or in part."""
        path = f"{first}/{second}/{rest}/{filename}"
        where = paths.parse(path)
        if where is None or where.blake2_256 in self.withheld():
            raise NoSuchFile(path)
        stored = await self.files.open(path)
        if self.settle is not None:
            await self.settle(where.blake2_256, stored.modified)
            if where.blake2_256 in self.withheld():
                raise NoSuchFile(path)
        ranges = request.getHeader(b"Range") or b""
        plan = plan_download(
            request.method.decode(),
            Conditions.of(request.requestHeaders.getRawHeaders),
            ranges,
            Content(size=stored.size, etag=f'"{first}{second}{rest}"', modified=stored.modified),
            boundary=self.random_bytes(16).hex() if b"," in ranges else "",
        )
        sent = self._counting(where, plan, stored.size)
        if self.handoff is not None and request.method == b"GET" and plan.status in (200, 206):
            elsewhere = await self.handoff.answer(request, path, stored)
            if elsewhere is not None:
                sent()
                return evolve(_described(elsewhere, plan), tags=(files_tag(name_in(where.filename)),))
        return Answer(
            code=plan.status,
            body=stream(
                plan,
                stored,
                at_hand=self._at_hand(where, stored) if self._is_handed_on else None,
                sent=sent,
            ),
            content_type=plan.content_type,
            headers=(*plan.headers, *SAFE_TO_OPEN),
            tags=(files_tag(name_in(where.filename)),),
        )

    @property
    def _is_handed_on(self) -> bool:
        return self.for_everybody and self.handoff is None

    def _at_hand(self, where: StorePath, stored: StoredFile) -> AtHand:
        """The file for those who are answered without being heard here; not once it is withheld."""

        def at_hand() -> AbstractContextManager[int] | None:
            return None if where.blake2_256 in self.withheld() else stored.at_hand()

        return at_hand

    def _counting(self, where: StorePath, plan: DownloadPlan, size: int) -> Callable[[], object]:
        """What counts a download: nothing does, unless all of a file is asked for at once."""
        if self.count is None or where.is_metadata or plan.pieces != (ByteRange(0, size),):
            return untold
        return partial(self.count, where.blake2_256)


def _described(elsewhere: Answer, plan: DownloadPlan) -> Answer:
    """An answer in place of a file, with the file's validators where it passes for the file."""
    if elsewhere.code != 200:
        return elsewhere
    validators = [one for one in plan.headers if one[0] in ("ETag", "Last-Modified")]
    etag = dict(validators)["ETag"]
    return evolve(elsewhere, headers=(*validators, *SAFE_TO_OPEN, *elsewhere.headers), etag=etag)


def stream(
    plan: DownloadPlan, stored: StoredFile, *, at_hand: AtHand | None, sent: Callable[[], object]
) -> Stream:
    """The plan's body; of one part of a file the kernel may send it, if it finds the file.

    Args:
        at_hand: gives the file to others who ask for all of it, without asking here; ``None``: nothing does.
        sent: is called when all of it was sent.
    """
    part = None
    if plan.status != 200:
        at_hand = None
    match plan.pieces:
        case (ByteRange(start=start, length=length),):
            if (held := stored.held()) is not None:
                part = FilePart(held=held, offset=start, count=length, at_hand=at_hand)
    return Stream(length=plan.length, pieces=lambda: body(plan, stored.read), file=part, sent=sent)
