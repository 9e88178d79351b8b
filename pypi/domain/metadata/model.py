"""The fields of core metadata, and the value that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Self

from attrs import frozen

from pypi.domain.metadata.reading import license_expression
from pypi.domain.metadata.sentences import invalid

VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5")
"""Metadata versions of the standard, oldest first; 2.0 was withdrawn."""

MAX_SINGLE = 16 << 10
"""Characters of a single field."""
MAX_VALUES = 10_000
MAX_VALUE = 4 << 10
"""Characters of one of several values."""
MAX_LIST = 128 << 10
"""Characters of all values of a field together."""

OF_SEVERAL_LINES = frozenset({"description", "license"})
"""Fields that may hold whole documents, and have no bound but that of the whole."""


class Kind(Enum):
    """How many values a field takes, and what they are made of."""

    SINGLE = "one text"
    LIST = "any number of texts"
    KEYWORDS = "texts, written with commas between them"
    URLS = "pairs, each written as label, comma, URL"


@frozen
class Field:
    """One field of the standard.

    Attributes:
        name: in an upload form, as an attribute of ``Metadata`` and as a key of its JSON.
        header: in METADATA, and in the sentences about it; lower case.
        since: the metadata version that introduced it.
    """

    name: str
    header: str
    since: str
    kind: Kind


def _fields(since: str, kind: Kind, words: str) -> Iterable[Field]:
    spelled_otherwise = {"classifiers": "classifier", "project_urls": "project-url"}
    for name in words.split():
        yield Field(name, spelled_otherwise.get(name, name.replace("_", "-")), since, kind)


FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        *_fields(
            "1.0",
            Kind.SINGLE,
            "metadata_version name version summary description home_page author author_email license",
        ),
        *_fields("1.0", Kind.KEYWORDS, "keywords"),
        *_fields("1.0", Kind.LIST, "platform"),
        *_fields("1.1", Kind.SINGLE, "download_url"),
        *_fields("1.1", Kind.LIST, "supported_platform classifiers requires provides obsoletes"),
        *_fields("1.2", Kind.SINGLE, "maintainer maintainer_email requires_python"),
        *_fields("1.2", Kind.LIST, "requires_dist provides_dist obsoletes_dist requires_external"),
        *_fields("1.2", Kind.URLS, "project_urls"),
        *_fields("2.1", Kind.SINGLE, "description_content_type"),
        *_fields("2.1", Kind.LIST, "provides_extra"),
        *_fields("2.2", Kind.LIST, "dynamic"),
        *_fields("2.4", Kind.SINGLE, "license_expression"),
        *_fields("2.4", Kind.LIST, "license_file"),
        *_fields("2.5", Kind.LIST, "import_name import_namespace"),
    )
}
"""Every field of the standard by its name in a form.

Source: core metadata specification, versions 1.0 to 2.5.
"""


@frozen(kw_only=True)
class Metadata:
    """Core metadata of one distribution, as written, whether it keeps the rules or not.

    A single field that is absent or empty is ``None``, any other that is absent an empty tuple.

    Attributes:
        keywords: one by one, without blanks around them.
        project_urls: (label, URL) pairs in the order given; no label comes twice.
        import_name: the one value ``""`` says that the distribution has no import names (PEP 794).
    """

    metadata_version: str | None = None
    name: str | None = None
    version: str | None = None
    platform: tuple[str, ...] = ()
    supported_platform: tuple[str, ...] = ()
    summary: str | None = None
    description: str | None = None
    description_content_type: str | None = None
    keywords: tuple[str, ...] = ()
    home_page: str | None = None
    download_url: str | None = None
    author: str | None = None
    author_email: str | None = None
    maintainer: str | None = None
    maintainer_email: str | None = None
    license: str | None = None
    license_expression: str | None = None
    license_file: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    project_urls: tuple[tuple[str, str], ...] = ()
    requires_python: str | None = None
    requires_dist: tuple[str, ...] = ()
    requires_external: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    provides_dist: tuple[str, ...] = ()
    provides_extra: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    obsoletes_dist: tuple[str, ...] = ()
    obsoletes: tuple[str, ...] = ()
    dynamic: tuple[str, ...] = ()
    import_name: tuple[str, ...] = ()
    import_namespace: tuple[str, ...] = ()

    @classmethod
    def of_texts(cls, texts: Mapping[str, Sequence[str]]) -> Self:
        """Build from the texts found under each field's name; other names are ignored.

        Raises:
            InvalidField: a field has more or longer values than it may, or two project URLs one label.
        """
        found = {name: texts[name] for name in FIELDS if texts.get(name)}
        metadata = cls(**{name: _value(FIELDS[name], values) for name, values in found.items()})
        for name in found:
            _check_bounds(FIELDS[name], metadata.texts(name))
        return metadata

    def texts(self, field: str) -> tuple[str, ...]:
        """The values of a field, a single one as a tuple of one, a project URL as ``label, URL``."""
        value = getattr(self, field)
        if FIELDS[field].kind is Kind.URLS:
            return tuple(f"{label}, {url}" for label, url in value)
        if FIELDS[field].kind is Kind.SINGLE:
            return () if value is None else (value,)
        return tuple(value)

    @property
    def canonical_license_expression(self) -> str | None:
        """The license expression with the standard's capitals; ``None`` where there is no valid one."""
        return license_expression(self.license_expression or "")

    def to_json(self) -> dict[str, Any]:
        """Everything that is present, by field name, of JSON's own types."""
        return {name: _plain(value) for name in FIELDS if (value := getattr(self, name)) not in (None, ())}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The other way round; keys that are no field (of a later version of ours) are ignored."""
        return cls(**{name: _frozen(value) for name, value in stored.items() if name in FIELDS})


def _value(field: Field, texts: Sequence[str]) -> Any:
    match field.kind:
        case Kind.LIST:
            return tuple(texts)
        case Kind.KEYWORDS:
            return tuple(word.strip() for text in texts for word in text.split(",") if word.strip())
        case Kind.URLS:
            return _labelled(field, texts)
        case Kind.SINGLE:
            if len(texts) > 1:
                raise invalid(field.name, f"{field.name!r} has invalid data")
            return texts[0] if texts[0].strip() else None


def _labelled(field: Field, texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    pairs: dict[str, str] = {}
    for text in texts:
        label, _, url = (part.strip() for part in text.partition(","))
        if label in pairs:
            raise invalid(field.name, f"{field.name!r} has invalid data")
        pairs[label] = url
    return tuple(pairs.items())


def _check_bounds(field: Field, texts: tuple[str, ...]) -> None:
    longest = MAX_SINGLE if field.kind is Kind.SINGLE else MAX_VALUE
    if field.name in OF_SEVERAL_LINES:
        return
    if len(texts) > MAX_VALUES:
        raise invalid(field.name, f"{field.header!r} field must be {MAX_VALUES} values or fewer.")
    if any(len(text) > longest for text in texts):
        raise invalid(field.name, f"{field.header!r} field must be {longest} characters or less.")
    if sum(map(len, texts)) > MAX_LIST:
        raise invalid(field.name, f"{field.header!r} field must be {MAX_LIST} characters or less in all.")


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value
