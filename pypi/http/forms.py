"""Forms of any kind as values: text fields collected, files streamed to where they belong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from urllib.parse import parse_qsl

from attrs import field, frozen

from pypi.domain.errors import Invalid
from pypi.http.bodies import Body, BodyTooLarge
from pypi.http.multipart import (
    Data,
    Event,
    FormEnd,
    MalformedForm,
    MultipartParser,
    Part,
    boundary_of,
    parse_parameters,
)


class Sink(Protocol):
    """Where one file goes: any number of ``write``, then ``finish`` or ``abort``."""

    async def write(self, data: bytes) -> None:
        """Take the next bytes; the client waits while this does."""

    async def finish(self) -> None:
        """The file and the whole form are complete."""

    async def abort(self) -> None:
        """Forget the file: something failed, here or elsewhere (perhaps in the ``finish`` of another)."""


SinkFactory = Callable[[Part], Awaitable[Sink]]


@frozen
class NotAForm(Invalid):
    """The body is of no kind that forms are sent in."""

    def __str__(self) -> str:
        return "The body of this request must be multipart/form-data or application/x-www-form-urlencoded."


@frozen(kw_only=True)
class FormLimits:
    """Bounds of one form.

    Attributes:
        total: bytes of the whole body, files included.
        text: bytes of all text fields together.
        parts: fields, text and files together.
    """

    total: int
    text: int = 16 << 20
    parts: int = 1000


@frozen(kw_only=True)
class SentFile:
    """One file of a form: how it was announced, and the finished sink that took it."""

    part: Part
    sink: Sink


@frozen(kw_only=True)
class Form:
    """What a form said.

    Attributes:
        fields: text by field name, in the order sent; several when the name was repeated.
        files: by field name; only of the names that were asked for.
        text_for_file: names asked for as files that came as plain text (which was dropped).
        file_for_text: other names that came as files (whose bytes were dropped).
    """

    fields: Mapping[str, list[str]] = field(factory=dict)
    files: Mapping[str, SentFile] = field(factory=dict)
    text_for_file: frozenset[str] = frozenset()
    file_for_text: frozenset[str] = frozenset()


async def read_form(
    body: Body,
    content_type: str | None,
    *,
    limits: FormLimits,
    file_fields: Mapping[str, SinkFactory] | None = None,
) -> Form:
    """Read the whole body as a form.

    Args:
        body: of the request; not read before.
        content_type: the request's, or None.
        limits: bounds; the declared length is checked before a byte is read.
        file_fields: for each field that may be a file, what opens the sink for its bytes.

    Returns:
        The form, with every sink finished.

    Raises:
        NotAForm: the content type is neither of the two.
        MalformedForm: the body breaks the grammar or a bound, repeats a file, or has text that is not UTF-8.
        BodyTooLarge: the body is larger than allowed.
        BodyIncomplete: the client went away.
        Exception: whatever a sink raises.

    In every case of failure, also cancellation, all sinks opened are aborted.
    """
    kind = parse_parameters(content_type)[0] if content_type else ""
    if kind == "application/x-www-form-urlencoded":
        return _decode_pairs(await body.read(min(limits.total, limits.text)), limits)
    if kind != "multipart/form-data" or content_type is None:
        raise NotAForm
    body.check(limits.total)
    reader = _FormReader(limits, file_fields or {})
    try:
        await reader.read(body, MultipartParser(boundary_of(content_type), max_parts=limits.parts))
        return await reader.finish()
    except Exception:
        await reader.abort()
        raise


class _FormReader:
    """Carries the events of one body to fields and sinks."""

    def __init__(self, limits: FormLimits, file_fields: Mapping[str, SinkFactory]) -> None:
        self._limits = limits
        self._file_fields = file_fields
        self._fields: dict[str, list[bytearray]] = {}
        self._files: dict[str, SentFile] = {}
        self._text_for_file: set[str] = set()
        self._file_for_text: set[str] = set()
        self._sink: Sink | None = None
        self._text: bytearray | None = None
        self._name = ""
        self._text_size = 0

    async def read(self, body: Body, parser: MultipartParser) -> None:
        async for data in body:
            if body.received > self._limits.total:
                raise BodyTooLarge(self._limits.total)
            for event in parser.feed(data):
                await self._take(event)
        parser.finish()

    async def finish(self) -> Form:
        fields = {name: [_text(value) for value in values] for name, values in self._fields.items()}
        for sent in self._files.values():
            await sent.sink.finish()
        return Form(
            fields=fields,
            files=self._files,
            text_for_file=frozenset(self._text_for_file),
            file_for_text=frozenset(self._file_for_text),
        )

    async def abort(self) -> None:
        for sent in self._files.values():
            await sent.sink.abort()

    async def _take(self, event: Event) -> None:
        if isinstance(event, Data):
            await self._write(event.data)
        elif isinstance(event, Part):
            await self._begin(event)
        elif not isinstance(event, FormEnd) and self._text is not None:
            self._fields.setdefault(self._name, []).append(self._text)

    async def _begin(self, part: Part) -> None:
        self._name = part.name
        self._sink = self._text = None
        if part.name in self._files or part.name in self._text_for_file:
            raise MalformedForm("it has the same file field twice")
        factory = self._file_fields.get(part.name)
        if part.filename is None and factory is None:
            self._text = bytearray()
        elif part.filename is None:
            self._text_for_file.add(part.name)
        elif factory is None:
            self._file_for_text.add(part.name)
        else:
            self._sink = await factory(part)
            self._files[part.name] = SentFile(part=part, sink=self._sink)

    async def _write(self, data: bytes) -> None:
        if self._sink is not None:
            await self._sink.write(data)
        elif self._text is not None:
            self._text_size += len(data)
            if self._text_size > self._limits.text:
                raise MalformedForm(f"its text is longer than {self._limits.text} bytes")
            self._text += data


def _decode_pairs(data: bytes, limits: FormLimits) -> Form:
    fields: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(_text(data), keep_blank_values=True, errors="strict", max_num_fields=limits.parts)
    except UnicodeDecodeError:
        raise MalformedForm("its text is not UTF-8") from None
    except ValueError:
        raise MalformedForm("it has too many fields") from None
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return Form(fields=fields)


def _text(data: bytes | bytearray) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise MalformedForm("its text is not UTF-8") from None
