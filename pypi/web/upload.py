"""Uploads, as twine, uv, flit and ``setup.py upload`` send them."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from attrs import define, field, frozen

from caching.coalesce import shielded
from caching.policy import Policy
from pypi.accounts.programs import Programs
from pypi.domain.errors import Gone, NotOffered
from pypi.domain.permissions import Identity
from pypi.domain.sizes import show_bytes
from pypi.files.spool import Spool, Spooled, SpoolFile
from pypi.http.answer import Answer
from pypi.http.bodies import BodyTooLarge
from pypi.http.credentials import credentials
from pypi.http.forms import Form, FormLimits, read_form
from pypi.http.multipart import Part
from pypi.http.negotiate import accepted, best, joined
from pypi.http.router import Router
from pypi.http.terms import PUBLISHING
from pypi.publishing.errors import FileTooLarge
from pypi.publishing.publish import Published, Publisher
from pypi.publishing.submission import UnusableFile

FORM_OVERHEAD = 20 << 20
"""Bytes a form may have beyond its file: descriptions are long, and there are many fields."""

ACTION = ":action"
PREREGISTRATION = frozenset({"submit", "submit_pkg_info"})


class RegistrationGone(Gone):
    """Nobody registers a project any more before uploading to it."""

    def __str__(self) -> str:
        return "Project pre-registration is no longer required or supported, upload your files instead."


class DocumentationGone(Gone):
    """Documentation is hosted elsewhere."""

    def __str__(self) -> str:
        return "Uploading documentation is no longer supported."


@frozen
class UnknownAction(NotOffered):
    """The form asks for something this address does not do."""

    action: str

    def __str__(self) -> str:
        return f"Uploads carry ':action' = 'file_upload', not {self.action[:60]!r}."


@frozen(kw_only=True, eq=False)
class Upload:
    """Takes files from publishers.

    Attributes:
        max_file_size: bytes.
    """

    router: ClassVar[Router] = Router()
    programs: Programs
    publisher: Publisher
    spool: Spool
    max_file_size: int

    @router.post("/legacy/", terms=PUBLISHING)
    async def upload(self, request: Any) -> Answer:
        """The upload API."""
        return await self.take(request)

    @router.get("/legacy/", policy=Policy())
    async def information(self, request: Any) -> Answer:
        """For people who open the address of uploads in a browser."""
        return Answer(body=b"Upload tools such as twine and uv send packages to this address.\n")

    @router.post("/legacy", terms=PUBLISHING)
    async def upload_without_slash(self, request: Any) -> Answer:
        """Clients follow no redirect with a body they have sent; so the address works both ways."""
        return await self.take(request)

    @router.post("/simple/", terms=PUBLISHING)
    async def upload_to_index(self, request: Any) -> Answer:
        """The index URL itself, for those who configure one URL for everything."""
        return await self.take(request)

    async def take(self, request: Any) -> Answer:
        """Authenticate, read the form, publish."""
        identity, form = await self.receive(request)
        return await self.publish(identity, form, request)

    async def identify(self, request: Any) -> Identity:
        """Who asks.

        Raises:
            Unauthenticated: nobody recognisable.
            Throttled: too many wrong passwords of late.
        """
        return await self.programs.recognise(credentials(request), request.caller.address)

    async def receive(self, request: Any) -> tuple[Identity, Form]:
        """Who uploads, and what; of the form, files are in the spool until they are published or dropped.

        Nothing of the body is read before the uploader is known.

        Raises:
            Refusal: nobody recognisable uploads, or no form that can be read.
        """
        identity = await self.identify(request)
        limits = FormLimits(total=self.max_file_size + FORM_OVERHEAD)
        try:
            form = await read_form(
                request.body,
                request.getHeader("Content-Type"),
                limits=limits,
                file_fields={"content": self._open},
            )
        except BodyTooLarge:
            raise self._too_large() from None
        return identity, form

    async def publish(self, identity: Identity, form: Form, request: Any) -> Answer:
        """Publish what was received; whatever becomes of it, nothing stays in the spool."""
        # From here on it makes no difference whether the client is still there.
        return _welcome(request, await shielded(self._publish_and_drop(identity, form, request)))

    async def drop(self, form: Form) -> None:
        """Forget the files of a form."""
        for sent in form.files.values():
            await sent.sink.abort()

    async def _publish_and_drop(self, identity: Identity, form: Form, request: Any) -> Published:
        try:
            return await self._publish(identity, form, request)
        finally:
            await self.drop(form)

    async def _open(self, part: Part) -> _Sink:
        return _Sink(await self.spool.create(self.max_file_size, too_large=self._too_large))

    def _too_large(self) -> FileTooLarge:
        return FileTooLarge(show_bytes(self.max_file_size))

    async def _publish(self, identity: Identity, form: Form, request: Any) -> Published:
        _check_action(form, request)
        for name in sorted(form.file_for_text - {"gpg_signature"}):
            raise UnusableFile(f"{name}: Should not be a tuple.")
        sent = form.files.get("content")
        if sent is None:
            raise UnusableFile("Upload payload does not have a file.")
        if (sent.part.content_type or "").startswith("image/"):
            raise UnusableFile("Invalid distribution file.")
        assert isinstance(sent.sink, _Sink)
        return await self.publisher.publish_form(
            identity, form.fields, sent.part.filename or "", sent.sink.spooled
        )


def _check_action(form: Form, request: Any) -> None:
    in_query = [value.decode("latin-1") for value in request.args.get(b":action", [])]
    action = (form.fields.get(ACTION) or in_query or [""])[0]
    if action in PREREGISTRATION:
        raise RegistrationGone()
    if action == "doc_upload":
        raise DocumentationGone()
    if action != "file_upload":
        raise UnknownAction(action)


@define(eq=False)
class _Sink:
    """The spool as a form's sink; remembers what became of the file."""

    file: SpoolFile
    _spooled: Spooled | None = field(default=None, init=False)

    @property
    def spooled(self) -> Spooled:
        """The finished file."""
        assert self._spooled is not None, "a form's sinks are finished when it has been read"
        return self._spooled

    async def write(self, data: bytes) -> None:
        """Take the next bytes."""
        await self.file.write(data)

    async def finish(self) -> None:
        """The file is complete."""
        self._spooled = await self.file.finish()

    async def abort(self) -> None:
        """Forget the file, unless it was stored."""
        await self.file.abort()


def _welcome(request: Any, published: Published) -> Answer:
    filename = published.submission.file.filename
    said = "was already on the index" if published.serial is None else "is published"
    sentence = f"{filename} {said}."
    headers = () if published.serial is None else (("X-PyPI-Last-Serial", str(published.serial)),)
    accept = joined(request, "Accept")
    if accepted(accept) and best(accept, ("text/plain", "application/json")) == "application/json":
        value = {"message": sentence, "code": "200 OK", "title": "OK", "warnings": published.warnings}
        body = json.dumps(value, ensure_ascii=False) + "\n"
        return Answer(body=body.encode(), content_type="application/json", headers=headers)
    lines = [sentence, *(f"Warning: {warning}" for warning in published.warnings)]
    return Answer(body="".join(f"{line}\n" for line in lines).encode(), headers=headers)
