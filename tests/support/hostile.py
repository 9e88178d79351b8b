"""Projects whose publishers write code wherever they may write anything.

``hostile_project`` is one that has all of it; ``hostile_projects`` are many, each with a part, so that what
is short (a summary) has had its turn with everything. ``publish`` sends one to an index of
``tests.support.index``, ``Hostile.form`` is what any other client sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import field, frozen

from pypi.publishing.rendering import markup
from pypi.publishing.rendering.wire import NotRendered
from tests.publishing import attacks
from tests.support.archives import Headers, core_metadata, wheel, wheel_filename
from tests.support.client import Reply
from tests.support.forms import CONTENT_TYPE, Value, multipart, upload_parts
from tests.support.index import Index
from tests.web.xss_payloads import PAYLOADS, on_one_line

WORD = "limburger"
"""In every summary: a search for it finds all of them."""

_SUMMARY = 512
_LABEL = 32
_SINGLE = 16_000


@frozen
class Hostile:
    """A file to upload.

    Attributes:
        content_type: of the description.
        summary: as it is written.
        data: of the wheel.
        fields: of the form, beyond those that the filename says.
    """

    name: str
    version: str
    content_type: str
    summary: str = field(repr=False)
    classifiers: Sequence[str] = field(repr=False)
    data: bytes = field(repr=False)
    filename: str
    fields: dict[str, Value] = field(repr=False)

    def form(self) -> tuple[str, bytes]:
        """(content type, body) of the request that uploads it."""
        return CONTENT_TYPE, multipart(upload_parts(self.data, self.filename, self.fields))


def hostile_project(
    name: str = "hostile",
    version: str = "1.0",
    *,
    content_type: str = "text/markdown",
    payloads: Sequence[str] = PAYLOADS,
    headers: Headers = (),
) -> Hostile:
    """A project with these payloads, or as many of them as there is room for, in every field that takes any.

    Args:
        content_type: ``text/markdown``, ``text/x-rst``, ``text/plain``.
        headers: further fields of its metadata.
    """
    lines = [line for line in map(on_one_line, payloads) if line]
    summary = f"{WORD} {_within(lines, _SUMMARY - 10)}"
    classifiers = [f"Private :: {line}" for line in lines]
    fields = [
        ("Summary", summary),
        ("Description-Content-Type", content_type),
        ("Author", _within(lines[::3], _SINGLE)),
        ("Author-email", '"<script>alert(1)</script>" <ada@people.example>'),
        ("Maintainer", _within(lines[1::3], _SINGLE)),
        ("License", _within(lines[2::3], _SINGLE)),
        ("Keywords", _within([line.replace(",", " ") for line in lines], _SINGLE, ",")),
        *(("Project-URL", f"{label}, https://cheese.example/{n}") for n, label in enumerate(_labels(lines))),
        *(("Classifier", classifier) for classifier in classifiers),
        *(("Platform", line) for line in lines),
        *headers,
    ]
    metadata = core_metadata(name, version, headers=fields, description=description(payloads, content_type))
    return Hostile(
        name,
        version,
        content_type,
        summary,
        classifiers,
        wheel(name, version, metadata=metadata),
        wheel_filename(name, version),
        {"name": name, "comment": _within(lines, _SINGLE), "pyversion": _within(lines, 400)},
    )


def hostile_projects(each: int = 12) -> Iterator[Hostile]:
    """Projects that share all payloads among them, ``each`` so many, in three formats by turns."""
    kinds = ("text/markdown", "text/x-rst", "text/plain")
    for number, first in enumerate(range(0, len(PAYLOADS), each)):
        payloads = PAYLOADS[first : first + each]
        kind = kinds[number % len(kinds)]
        yield hostile_project(f"hostile-{number:03}", content_type=kind, payloads=payloads)


def description(payloads: Sequence[str], content_type: str) -> str:
    """All of them in one text; in reStructuredText what does not render by itself is quoted."""
    if content_type == "text/x-rst":
        more = (*payloads, *attacks.RST)
        parts = [text if _renders(text, content_type) else "::\n\n" + _indented(text) for text in more]
    elif content_type == "text/markdown":
        # Each in a text of its own, too: HTML goes to the next blank line, and some of it further.
        parts = [*payloads, *(f"x {text} y" for text in payloads), *attacks.MARKDOWN]
    else:
        parts = list(payloads)
    # Metadata with a NUL is refused, whatever else is in it.
    return "\n\n".join(parts).replace("\0", "\ufffd")


async def publish(index: Index, hostile: Hostile) -> Reply:
    """Upload it."""
    return await index.upload(hostile.data, hostile.filename, **hostile.fields)


def _renders(text: str, content_type: str) -> bool:
    try:
        return bool(markup.render(text, content_type))
    except NotRendered:
        return False


def _indented(text: str) -> str:
    return "".join(f"   {line}\n" for line in on_one_line(text).splitlines() or ["x"])


def _within(texts: Sequence[str], most: int, between: str = " ") -> str:
    """As many of them as there is room for."""
    chosen: list[str] = []
    for text in texts:
        if len(between.join((*chosen, text))) <= most:
            chosen.append(text)
    return between.join(chosen)


def _labels(texts: Sequence[str]) -> Iterable[str]:
    """Of links: the beginning of each text, none twice."""
    return dict.fromkeys(label for text in texts if (label := text.replace(",", " ")[:_LABEL].strip()))
