"""Metadata in an upload form: cleaning, multiplicity, splitting."""

from __future__ import annotations

import pytest

from pypi.domain.errors import InvalidField
from pypi.domain.metadata import FIELDS, Kind, Metadata, from_form

SEE = " See https://packaging.python.org/specifications/core-metadata for more information."


def test_every_field_arrives() -> None:
    """Each field of the standard is read under its form name."""
    form = {
        name: ["Home, https://a.example"] if field.kind is Kind.URLS else [f"{name} value"]
        for name, field in FIELDS.items()
    }
    metadata = from_form(form)
    for name, field in FIELDS.items():
        expected = {
            Kind.SINGLE: f"{name} value",
            Kind.LIST: (f"{name} value",),
            Kind.KEYWORDS: (f"{name} value",),
            Kind.URLS: (("Home", "https://a.example"),),
        }[field.kind]
        assert getattr(metadata, name) == expected


def test_other_fields_are_ignored() -> None:
    """Fields of the upload itself, and plural names some clients send, mean nothing here."""
    form = {
        ":action": ["file_upload"],
        "md5_digest": ["0", "1"],
        "platforms": ["any"],
        "license_files": ["LICENSE"],
        "import_names": ["a"],
        "import_namespaces": ["b"],
    }
    assert from_form(form) == Metadata()


def test_unknown_is_nothing() -> None:
    """``UNKNOWN`` is deleted wherever it stands alone, before values are counted."""
    form = {
        "summary": [" UNKNOWN\n"],
        "platform": ["UNKNOWN", "linux"],
        "author": ["UNKNOWN", "Ann"],
        "license": ["UNKNOWN terms"],
    }
    assert from_form(form) == Metadata(platform=("linux",), author="Ann", license="UNKNOWN terms")


def test_nul_is_spelled_out() -> None:
    """A NUL, which no database takes, becomes four harmless characters."""
    assert from_form({"summary": ["a\0b"]}).summary == "a\\x00b"


@pytest.mark.parametrize("empty", ["", "  ", "\r\n"])
def test_an_empty_single_field_is_absent(empty: str) -> None:
    """An input left empty says nothing."""
    assert from_form({"requires_python": [empty], "description": [empty]}) == Metadata()


def test_blanks_around_values_fall_away() -> None:
    """Only a description keeps them: they may be the indentation of its first line."""
    form = {"version": [" 1.0 "], "requires_dist": ["a "], "description": ["    code\n"]}
    assert from_form(form) == Metadata(version="1.0", requires_dist=("a",), description="    code\n")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (["one, two three,"], ("one", "two three")),
        (["one two"], ("one two",)),
        (["one", "two three"], ("one", "two three")),
        ([""], ()),
    ],
)
def test_keywords(sent: list[str], words: tuple[str, ...]) -> None:
    """Commas part keywords, and so do parts: ``setup.py upload`` sends one for each."""
    assert from_form({"keywords": sent}).keywords == words


def test_project_urls() -> None:
    """The first comma parts label and URL."""
    urls = ["Home , https://a.example/?a,b", "No URL", ", https://b.example"]
    assert from_form({"project_urls": urls}).project_urls == (
        ("Home", "https://a.example/?a,b"),
        ("No URL", ""),
        ("", "https://b.example"),
    )


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("summary", ["a", "b"]),
        ("name", ["a", ""]),
        ("description", ["a", "b"]),
        ("project_urls", ["Home, https://a.example", "Home, https://b.example"]),
        ("author", ["\ud800"]),
    ],
)
def test_invalid_data(field: str, sent: list[str]) -> None:
    """A second value, a second URL of one label, and text that is no Unicode are refused."""
    with pytest.raises(InvalidField) as caught:
        from_form({field: sent})
    assert caught.value.field == field
    assert str(caught.value) == f"'{field}' has invalid data.{SEE}"
