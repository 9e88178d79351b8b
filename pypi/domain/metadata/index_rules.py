"""What an index asks of metadata beyond the standard, as the public index does."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence

from attrs import frozen

from pypi.domain.errors import InvalidField
from pypi.domain.metadata import reading
from pypi.domain.metadata.model import Metadata
from pypi.domain.metadata.sentences import LOCAL_VERSIONS, invalid, quoted, shortened

MAX_SUMMARY = 512
MAX_LABEL = 32
MAX_ADDRESS = 320
"""Characters: 64 before the sign, 255 after it (RFC 5321)."""

_PCHAR = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_URI = re.compile(
    r"https?://(?:[^@/?#\s]*@)?(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?"
    rf"(?:/(?:{_PCHAR}|/)*)?(?:\?(?:{_PCHAR}|[/?])*)?(?:#[^\s<>\"]*)?",
    re.ASCII | re.IGNORECASE,
)


@frozen(kw_only=True)
class IndexRules:
    """The rules whose answer depends on what this index knows.

    Attributes:
        classifiers: the known ones.
        deprecated: classifier → those to use instead of it, perhaps none.
        is_email: from an address to what is wrong with it, ``None`` for nothing.
        allow_local: whether local versions (``1.0+ours``) may be published here.
    """

    classifiers: Container[str]
    deprecated: Mapping[str, Sequence[str]]
    is_email: Callable[[str], str | None]
    allow_local: bool

    def refusals(self, metadata: Metadata) -> Iterator[InvalidField]:
        """What breaks these rules, in no particular order."""
        yield from self._version(metadata)
        yield from _summary(metadata)
        yield from _licenses(metadata)
        yield from _urls(metadata)
        yield from _project_urls(metadata)
        yield from _direct_dependencies(metadata)
        yield from _dynamic(metadata)
        for field in ("author_email", "maintainer_email"):
            yield from self._email(field, getattr(metadata, field))
        yield from self._classifiers(metadata)

    def _version(self, metadata: Metadata) -> Iterator[InvalidField]:
        version = reading.version(metadata.version or "")
        if version is not None and version.local and not self.allow_local:
            sentence = f"The use of local versions in {quoted(metadata.version)} is not allowed."
            yield invalid("version", sentence, see=LOCAL_VERSIONS)

    def _email(self, field: str, mailboxes: str | None) -> Iterator[InvalidField]:
        address = reading.mailbox_address(mailboxes or "")
        if len(address) > MAX_ADDRESS:
            why: str | None = "The email address is too long."
        else:
            why = self.is_email(address) if address else None
        if why:
            yield invalid(field, f"{quoted(address)} is not a valid email address: {why}")

    def _classifiers(self, metadata: Metadata) -> Iterator[InvalidField]:
        for classifier in sorted(set(metadata.classifiers)):
            if classifier in self.deprecated:
                better = [*self.deprecated[classifier]]
                instead = f", use one of {better} instead." if better else "."
                yield invalid(
                    "classifiers", f"The classifier {quoted(classifier)} has been deprecated{instead}"
                )
            elif classifier not in self.classifiers:
                yield invalid("classifiers", f"{quoted(classifier)} is not a valid classifier.")


def _summary(metadata: Metadata) -> Iterator[InvalidField]:
    if len(metadata.summary or "") > MAX_SUMMARY:
        yield invalid("summary", f"'summary' field must be {MAX_SUMMARY} characters or less.")


def _licenses(metadata: Metadata) -> Iterator[InvalidField]:
    if metadata.license and metadata.license_expression:
        yield invalid(
            "license",
            "License is deprecated when License-Expression is present. "
            "Only License-Expression should be present.",
        )


def _urls(metadata: Metadata) -> Iterator[InvalidField]:
    for field in ("home_page", "download_url"):
        for url in metadata.texts(field):
            if not _URI.fullmatch(url):
                yield invalid(field, f"{quoted(url)} is not a valid url.")


def _project_urls(metadata: Metadata) -> Iterator[InvalidField]:
    for label, url in metadata.project_urls:
        if not label:
            yield invalid("project_urls", "Must have a label")
        elif len(label) > MAX_LABEL:
            yield invalid("project_urls", f"{quoted(label)} must be {MAX_LABEL} characters or less.")
        elif not url:
            yield invalid("project_urls", "Must have a URL")
        elif not _URI.fullmatch(url):
            yield invalid("project_urls", f"{quoted(url)} is not a valid url")


def _direct_dependencies(metadata: Metadata) -> Iterator[InvalidField]:
    for field in ("requires_dist", "provides_dist", "obsoletes_dist"):
        for text in getattr(metadata, field):
            try:
                requirement = reading.requirement(text)
            except reading.Unreadable as error:
                if field != "requires_dist":
                    yield invalid(field, f"{quoted(text)} is invalid: {error}")
                continue
            if requirement.url is not None:
                shown = shortened(str(requirement)) if field == "requires_dist" else quoted(text)
                yield invalid(field, f"Can't have direct dependency: {shown}")


def _dynamic(metadata: Metadata) -> Iterator[InvalidField]:
    for text in metadata.dynamic:
        if text.lower() == "dynamic":
            yield invalid("dynamic", f"Dynamic field {text!r} is not a valid dynamic field.")
