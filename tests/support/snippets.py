"""What a page shows to be pasted, as somebody who presses "Copy" gets it."""

from __future__ import annotations

from html.parser import HTMLParser

from attrs import frozen


@frozen
class Snippet:
    """Something to paste.

    Attributes:
        language: as the page has it for those who check it.
        file: where it belongs; empty for a terminal.
        client: the anchor of the section it is in; empty if in none.
    """

    client: str
    language: str
    file: str
    text: str


def snippets(page: str) -> list[Snippet]:
    """All snippets of a page, in their order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Snippet] = []
        self._client = self._language = self._file = self._text = ""
        self._into = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "section":
            self._client = given.get("aria-labelledby", "")
        elif "data-language" in given:
            self._language, self._file, self._text = given["data-language"], "", ""
        elif self._language and tag == "code":
            self._into = "file" if "snippet__file" in given.get("class", "") else "text"

    def handle_endtag(self, tag: str) -> None:
        if tag == "code":
            self._into = ""
        elif tag == "pre" and self._language:
            self.found.append(Snippet(self._client, self._language, self._file, self._text))
            self._language = ""

    def handle_data(self, data: str) -> None:
        if self._into == "file":
            self._file += data
        elif self._into == "text":
            self._text += data
