"""The corridor of an upload, five short steps in one order that nothing may change.

Understand the form; look into the archive, in a child process; check; store the bytes, durably; write it all
down in one transaction. A crash between the last two leaves bytes nobody lists, which a sweep takes away; it
never leaves a listing without bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from caching.coalesce import shielded
from pypi.db.connection import Cursor
from pypi.db.database import Database, DatabaseDown, OutcomeUnknown
from pypi.db.queries import files as listed
from pypi.domain.errors import Refusal, StorageFailed
from pypi.domain.filenames import FileType
from pypi.domain.metadata import Metadata, parse
from pypi.domain.permissions import Identity
from pypi.failpoints import failpoint
from pypi.files import paths
from pypi.files.spool import Spooled
from pypi.files.store import FileStore
from pypi.publishing import checks, facts
from pypi.publishing.archives.contents import Contents
from pypi.publishing.descriptions import Rendered, Renderer
from pypi.publishing.inspection import Inspectors
from pypi.publishing.record import Publication, record
from pypi.publishing.rules import Rules
from pypi.publishing.submission import Submission, usable_file
from pypi.publishing.submission import parse as parse_form

log = Logger()

Announce = Callable[[int, Sequence[str]], Awaitable[None]]
"""Told of (serial, tags) of a change between its commit and its answer; never raises."""


async def _nobody_listens(serial: int, tags: Sequence[str]) -> None:
    pass


async def _nothing_missed() -> None:
    pass


@frozen(kw_only=True)
class Published:
    """What became of an upload.

    Attributes:
        serial: of the last change it made; ``None`` where the very same file was listed already.
        warnings: sentences for the uploader, who may want to know.
    """

    submission: Submission
    serial: int | None
    warnings: tuple[str, ...] = ()


@frozen(kw_only=True, eq=False)
class Publisher:
    """Publishes files, one after the other or many at once.

    Attributes:
        announce: sees to it that who gets the answer is shown nothing older afterwards.
        catch_up: does so where it is not known under which serial the change was made.
    """

    database: Database
    files: FileStore
    inspectors: Inspectors
    renderer: Renderer
    rules: Rules
    now: Callable[[], datetime]
    reactor: Any = field(repr=False)
    announce: Announce = field(default=_nobody_listens, repr=False)
    catch_up: Callable[[], Awaitable[None]] = field(default=_nothing_missed, repr=False)

    async def publish_form(
        self, identity: Identity, fields: Mapping[str, Sequence[str]], filename: str, spooled: Spooled
    ) -> Published:
        """Publish a file that came with an upload form.

        Args:
            fields: the form's texts.
            filename: of its ``content``.
            spooled: the bytes; used up when this returns, the caller's to remove when it raises.

        Raises:
            Refusal: in the words of the index; nothing was stored.
        """
        submission = parse_form(fields, filename, spooled)
        return await self._publish(identity, submission)

    async def publish_file(self, identity: Identity, filename: str, spooled: Spooled) -> Published:
        """Publish a file that speaks for itself: name, version and metadata are those inside it.

        Raises:
            Refusal: as for ``publish_form``.
        """
        file = usable_file(filename)
        contents = await self.inspectors.inspect(spooled.path, filename)
        metadata = await deferToThread(self._read, contents)
        submission = Submission(
            name=metadata.name or "",
            version=metadata.version or "",
            file=file,
            python_version=file.python_tag,
            comment="",
            metadata=metadata,
            spooled=spooled,
        )
        return await self._publish(identity, submission, contents, metadata)

    async def _publish(
        self,
        identity: Identity,
        submission: Submission,
        contents: Contents | None = None,
        read: Metadata | None = None,
    ) -> Published:
        """The corridor; ``contents`` and what was ``read`` there are those of a file looked into already."""
        known = await self.database.read(facts.look, submission, identity)
        if self._is_repetition(identity, submission, known):
            return Published(submission=submission, serial=None)
        if contents is None:
            contents = await self.inspectors.inspect(submission.spooled.path, submission.file.filename)
        found = await deferToThread(self._compare, submission, contents, read)
        publication = _publication(identity, submission, found, contents, self.now())
        # Neither needs the other, and both take their time.
        rendering = Deferred.fromCoroutine(self._render(known, found))
        try:
            await self._store(submission, contents, publication)
            rendered = await rendering
            # Whoever hangs up now stops neither the transaction nor the word of it.
            serial = await shielded(self._record(self._new(publication, rendered)))
        except (DatabaseDown, OutcomeUnknown):
            raise  # whether the file is listed can only be found out later: by the sweep
        except Refusal:
            await self.forget(publication.path)
            raise
        return Published(
            submission=submission, serial=serial, warnings=(*contents.warnings, *rendered.warnings)
        )

    def _new(self, publication: Publication, rendered: Rendered) -> Publication:
        """What is said only once, of what this file begins."""
        return evolve(publication, rendered=rendered, access=self.rules.access)

    async def _render(self, known: facts.Facts, found: Metadata) -> Rendered:
        """The description, where this file is the first of its release, which takes it from there."""
        if known.release is not None or not found.description:
            return Rendered()
        return await self.renderer.render(found.description, found.description_content_type or "")

    def _read(self, contents: Contents) -> Metadata:
        """The metadata inside a file, by the standard; hostile ones take long, so off the reactor."""
        found = parse(contents.metadata)
        _raise_first(self.rules.refusals(found))
        return found

    def _compare(self, submission: Submission, contents: Contents, read: Metadata | None) -> Metadata:
        found = read or self._read(contents)
        _raise_first(checks.of_agreement(submission, found))
        return found

    def _is_repetition(self, identity: Identity, submission: Submission, known: facts.Facts) -> bool:
        """Whether there is nothing to do; raises what speaks against doing it."""
        _raise_first(checks.of_permission(submission, known, identity, self.rules))
        if checks.repeats(submission, known):
            return True
        _raise_first(checks.of_file(submission, known, identity, self.rules, self.now()))
        return False

    async def _store(self, submission: Submission, contents: Contents, publication: Publication) -> None:
        path = publication.path
        if publication.metadata_sha256 is not None:
            await self.files.put_bytes(paths.metadata_path(path), contents.metadata)
        await self.files.put(path, submission.spooled)

    async def _record(self, publication: Publication) -> int | None:
        try:
            recorded = await self.database.transact(record, publication, self._decide)
        except OutcomeUnknown:
            await self._find_out(publication)
            await self.catch_up()
            return None
        failpoint("upload.after-commit")
        if recorded is None:
            return None
        await self.announce(recorded.serial, recorded.tags)
        return recorded.serial

    async def _decide(self, publication: Publication, known: facts.Facts) -> bool:
        """The checks once more, on facts nobody else can change; whether there is anything to write."""
        submission = publication.submission
        if self._is_repetition(publication.identity, submission, known):
            return False
        if not await self._is_stored(publication):
            # Swept away as an orphan in the very moment between storing and listing it.
            raise StorageFailed()
        return True

    async def _is_stored(self, publication: Publication) -> bool:
        if await self.files.size(publication.path) != publication.submission.spooled.size:
            return False
        if publication.metadata_sha256 is None:
            return True
        return await self.files.size(paths.metadata_path(publication.path)) is not None

    async def _find_out(self, publication: Publication) -> None:
        """Whether a commit of unknown outcome happened; nobody is told before the database says so.

        Raises:
            DatabaseDown: it did not.
            OutcomeUnknown: nobody knows.
        """
        for pause in (0.1, 0.5, 1.0, 2.0):
            await deferLater(self.reactor, pause)
            try:
                is_listed = await self.database.transact(_is_listed, publication.path)
            except DatabaseDown:
                continue
            if not is_listed:
                raise DatabaseDown()
            return
        raise OutcomeUnknown()

    async def forget(self, path: str) -> bool:
        """Remove a stored distribution, and the metadata beside it, unless it is listed.

        Returns:
            whether they were removed.
        """
        try:
            return await self.database.transact(_forget, self.files, path)
        except Refusal as refusal:
            log.warn("{path} stays until the next sweep: {refusal}", path=path, refusal=str(refusal))
            return False


async def _is_listed(cursor: Cursor, path: str) -> bool:
    """Whether the distribution stored at ``path`` is listed, which nobody changes in this transaction."""
    place = paths.parse(path)
    assert place is not None
    # Whoever is listing this content holds its lock: waiting for it, no commit under way is overlooked.
    await listed.lock_blob(cursor, place.blake2_256)
    found = await listed.by_blake2(cursor, place.blake2_256)
    return found is not None and found.filename == place.filename


async def _forget(cursor: Cursor, files: FileStore, path: str) -> bool:
    if await _is_listed(cursor, path):
        return False
    await files.delete(path)
    await files.delete(paths.metadata_path(path))
    return True


def _publication(
    identity: Identity, submission: Submission, found: Metadata, contents: Contents, now: datetime
) -> Publication:
    is_wheel = submission.file.filetype is FileType.WHEEL
    return Publication(
        identity=identity,
        submission=submission,
        metadata=found,
        metadata_sha256=hashlib.sha256(contents.metadata).hexdigest() if is_wheel else None,
        path=paths.store_path(submission.spooled.blake2_256, submission.file.filename),
        now=now,
    )


def _raise_first(refusals: Iterable[Refusal]) -> None:
    for refusal in refusals:
        raise refusal
