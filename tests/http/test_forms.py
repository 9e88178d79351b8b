"""Forms become fields and finished sinks, or nothing at all."""

from __future__ import annotations

import pytest
from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from urllib3.filepost import encode_multipart_formdata

from pypi.http.bodies import Body, BodyIncomplete, BodyTooLarge
from pypi.http.forms import Form, FormLimits, NotAForm, Sink, read_form
from pypi.http.multipart import MalformedForm, Part

LIMITS = FormLimits(total=1 << 20, text=1000, parts=10)
FIELDS = [(":action", "file_upload"), ("name", "käse"), ("classifiers", "A"), ("classifiers", "B")]


@define
class Memory:
    """A sink that records what happened to it."""

    data: bytearray = field(factory=bytearray)
    finished: bool = False
    aborted: bool = False
    fails_at: str = ""

    async def write(self, data: bytes) -> None:
        self.data += data
        if self.fails_at == "write":
            raise OSError("disk full")

    async def finish(self) -> None:
        if self.fails_at == "finish":
            raise OSError("disk full")
        self.finished = True

    async def abort(self) -> None:
        self.aborted = True


@define
class Opener:
    """Opens sinks and keeps them for the test."""

    fails_at: str = ""
    opened: list[Memory] = field(factory=list)

    async def __call__(self, part: Part) -> Sink:
        self.opened.append(Memory(fails_at=self.fails_at))
        return self.opened[-1]


def arrived(data: bytes, *, length: int | None = None) -> Body:
    """A body that is complete."""
    body = Body(len(data) if length is None else length)
    body.deliver(data, last=True)
    return body


def multipart(*fields: tuple[str, object]) -> tuple[Body, str]:
    """A complete body of these fields and its content type."""
    data, content_type = encode_multipart_formdata(fields)  # type: ignore[arg-type]
    return arrived(data), content_type


async def read(
    sent: tuple[Body, str | None], opener: Opener | None = None, limits: FormLimits = LIMITS
) -> Form:
    """Read a form whose ``content`` may be a file."""
    return await read_form(sent[0], sent[1], limits=limits, file_fields={"content": opener or Opener()})


async def test_fields_and_file() -> None:
    """Text is collected by name in order, and the file lies in its finished sink."""
    opener = Opener()
    form = await read(multipart(*FIELDS, ("content", ("a.whl", b"\x00\xff" * 1000))), opener)
    assert form.fields == {":action": ["file_upload"], "name": ["käse"], "classifiers": ["A", "B"]}
    assert form.files["content"].sink is opener.opened[0]
    assert form.files["content"].part.filename == "a.whl"
    assert opener.opened == [Memory(data=bytearray(b"\x00\xff" * 1000), finished=True)]


async def test_no_fields() -> None:
    """An empty form is a form."""
    assert await read((arrived(b"--b--"), "multipart/form-data; boundary=b")) == Form()


async def test_urlencoded() -> None:
    """URL-encoded pairs are read as well, blank values included."""
    sent = arrived(b"a=1&b=%C3%A9+x&a=&c"), "application/x-www-form-urlencoded; charset=utf-8"
    assert (await read(sent)).fields == {"a": ["1", ""], "b": ["é x"], "c": [""]}


@pytest.mark.parametrize("data", [b"a=%ff", b"a=\xff", b"&".join([b"a=b"] * 11)])
async def test_bad_urlencoded(data: bytes) -> None:
    """Pairs that are not UTF-8, or are too many, are refused."""
    with pytest.raises(MalformedForm):
        await read((arrived(data), "application/x-www-form-urlencoded"))


async def test_urlencoded_is_small() -> None:
    """URL-encoded pairs have the bound of text."""
    with pytest.raises(BodyTooLarge):
        await read((arrived(b"a" * 1001), "application/x-www-form-urlencoded"))


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/json", "multipart/mixed; boundary=b"]
)
async def test_not_a_form(content_type: str | None) -> None:
    """Other content types are refused without reading, with a sentence that names the two."""
    with pytest.raises((NotAForm, MalformedForm), match="form"):
        await read((Body(100), content_type))


async def test_file_sent_as_text_and_text_as_file() -> None:
    """A file field without a filename, and a file nobody asked for, are told; their bytes are dropped."""
    opener = Opener()
    form = await read(multipart(("content", "x" * 5000), ("gpg_signature", ("a.asc", b"y" * 5000))), opener)
    assert form == Form(text_for_file=frozenset({"content"}), file_for_text=frozenset({"gpg_signature"}))
    assert opener.opened == []


@pytest.mark.parametrize("first", ["text", ("a.whl", b"one")])
@pytest.mark.parametrize("second", ["text", ("a.whl", b"two")])
async def test_the_same_file_field_twice(first: object, second: object) -> None:
    """A file field may come once, in whatever shape; a sink already open is aborted."""
    opener = Opener()
    with pytest.raises(MalformedForm, match="twice"):
        await read(multipart(("content", first), ("content", second)), opener)
    assert all(sink.aborted and not sink.finished for sink in opener.opened)


@pytest.mark.parametrize(
    "bad",
    [
        [("a", b"\xff")],
        [("a", "x" * 1001)],
        [("a", "x" * 501), ("b", "x" * 501)],
        [("a", "b")] * 10,
    ],
)
async def test_bad_fields_abort_the_file(bad: list[tuple[str, object]]) -> None:
    """Text that is not UTF-8, too long, or too many fields: nothing is finished."""
    opener = Opener()
    with pytest.raises(MalformedForm):
        await read(multipart(("content", ("a.whl", b"x")), *bad), opener)
    assert all(sink.aborted and not sink.finished for sink in opener.opened)


async def test_unclosed_form_aborts_the_file() -> None:
    """A form that ends in the middle of its file leaves nothing behind."""
    opener = Opener()
    data, content_type = encode_multipart_formdata([("content", ("a.whl", b"x" * 100))])
    with pytest.raises(MalformedForm, match="closing boundary"):
        await read((arrived(data[:-10]), content_type), opener)
    assert opener.opened[0].aborted


async def test_declared_length_beyond_the_limit() -> None:
    """A form that says it is too large is refused before a byte is read."""
    with pytest.raises(BodyTooLarge, match="1048576"):
        await read((Body(2 << 20), "multipart/form-data; boundary=b"))


async def test_undeclared_length_beyond_the_limit() -> None:
    """A chunked form is refused when it exceeds the limit, and its file aborted."""
    opener = Opener()
    data, content_type = encode_multipart_formdata([("content", ("a.whl", b"x" * (2 << 20)))])
    body = Body(None)
    reading = Deferred.fromCoroutine(read((body, content_type), opener))
    for at in range(0, len(data), 65536):
        body.deliver(data[at : at + 65536], last=False)
    with pytest.raises(BodyTooLarge):
        await reading
    assert opener.opened[0].aborted
    assert len(opener.opened[0].data) <= 1 << 20


async def test_client_that_goes_away() -> None:
    """When the rest never comes the file is aborted."""
    opener = Opener()
    data, content_type = encode_multipart_formdata([("content", ("a.whl", b"x" * 1000))])
    body = Body(len(data))
    reading = Deferred.fromCoroutine(read((body, content_type), opener))
    body.deliver(data[:500], last=False)
    body.fail(BodyIncomplete())
    with pytest.raises(BodyIncomplete):
        await reading
    assert opener.opened[0].aborted


async def test_cancelled_reading() -> None:
    """When the handler is cancelled the file is aborted."""
    opener = Opener()
    data, content_type = encode_multipart_formdata([("content", ("a.whl", b"x" * 1000))])
    body = Body(len(data))
    reading = Deferred.fromCoroutine(read((body, content_type), opener))
    body.deliver(data[:500], last=False)
    reading.cancel()
    with pytest.raises(CancelledError):
        await reading
    assert opener.opened[0].aborted


@pytest.mark.parametrize("fails_at", ["write", "finish"])
async def test_failing_sink(fails_at: str) -> None:
    """A sink that fails is aborted, and its error is the caller's to see."""
    opener = Opener(fails_at=fails_at)
    with pytest.raises(OSError, match="disk full"):
        await read(multipart(("content", ("a.whl", b"x"))), opener)
    assert opener.opened[0].aborted
