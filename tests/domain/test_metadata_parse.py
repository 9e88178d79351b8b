"""METADATA and PKG-INFO: headers, bodies, encodings, and files that are neither."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pypi.domain.errors import InvalidField
from pypi.domain.metadata import FIELDS, Kind, Metadata, parse

HEAD = b"Metadata-Version: 2.4\nName: a\nVersion: 1.0\n"
OLD = b"Metadata-Version: 1.1\nName: a\nVersion: 1.0\n"
BEFORE_MARGINS = b"Metadata-Version: 2.1\nName: a\nVersion: 1.0\n"


def test_every_header_is_read() -> None:
    """Each field of the standard has its header, in any letter case."""
    values = {
        name: "Home, https://a.example" if field.kind is Kind.URLS else f"{name} value"
        for name, field in FIELDS.items()
    }
    values["metadata_version"] = "2.5"
    lines = [f"{field.header.title()}: {values[name]}" for name, field in FIELDS.items()]
    metadata = parse("\n".join(lines).encode())
    assert all(metadata.texts(name) == (values[name],) for name in FIELDS)


def test_the_body_is_the_description() -> None:
    """Everything after the first empty line, colons and all, belongs to the description."""
    assert parse(HEAD + b"\nName: b\n\n    code\n").description == "Name: b\n\n    code\n"


@pytest.mark.parametrize("margin", ["        ", "       |"])
def test_a_description_header_loses_its_margin(margin: str) -> None:
    """Both ways of marking further lines give the text back, indentation included."""
    text = f"Title\n{margin}=====\n{margin}\n{margin}    code\n{margin}end"
    raw = HEAD + b"Description: " + text.encode() + b"\nAuthor: Ann\n"
    assert parse(raw).description == "Title\n=====\n\n    code\nend"
    assert parse(raw).author == "Ann"


def test_a_licence_loses_its_margin() -> None:
    """Licences are whole texts, written like descriptions."""
    assert parse(HEAD + b"License: MIT\n        \n          indented\n").license == "MIT\n\n  indented"


def test_windows_line_ends() -> None:
    """A file written on Windows reads the same."""
    raw = HEAD + b"Classifier: x\nClassifier: y\n\nbody\nmore"
    assert parse(raw.replace(b"\n", b"\r\n")) == parse(raw)


def test_unknown_is_nothing() -> None:
    """What distutils wrote for absent values is absent, in the body too."""
    raw = (
        b"Metadata-Version: 2.1\nName: a\nVersion: 1\nHome-page: UNKNOWN\nPlatform: UNKNOWN\n\nUNKNOWN\n\n\n"
    )
    assert parse(raw) == Metadata(metadata_version="2.1", name="a", version="1")


def test_unknown_headers_are_ignored() -> None:
    """Private headers and those of a later standard mean nothing yet."""
    assert parse(HEAD + b"X-Mood: good\nContent-Type: multipart/mixed; boundary=x\n") == parse(HEAD)


def test_an_empty_import_name_is_kept() -> None:
    """It says that there is nothing to import, which is not the same as saying nothing (PEP 794)."""
    assert parse(HEAD.replace(b"2.4", b"2.5") + b"Import-Name:\n").import_name == ("",)


def test_license_files_of_old_setuptools_are_dropped() -> None:
    """Before 2.4 the header was setuptools' own, and no client repeats it in the form."""
    assert parse(BEFORE_MARGINS + b"License-File: LICENSE\n").license_file == ()
    assert parse(HEAD + b"License-File: LICENSE\n").license_file == ("LICENSE",)


def test_latin_1_in_old_metadata() -> None:
    """Writers of 1.x used the locale's encoding."""
    assert parse(OLD + "Author: Anné\n".encode("latin-1")).author == "Anné"
    assert parse(OLD + "Author: Anné\n".encode()).author == "Anné"


@pytest.mark.parametrize(
    ("head", "value"), [(OLD, b"MIT\nor so"), (BEFORE_MARGINS, b"MIT\nor so"), (OLD, b"MIT\n\nor so")]
)
def test_a_licence_without_margin_in_old_metadata(head: bytes, value: bytes) -> None:
    """Its headers end there for every reader; a value cut short and what follows are not taken."""
    metadata = parse(head + b"Summary: s\nLicense: " + value + b"\nDescription: d\n")
    assert (metadata.summary, metadata.license, metadata.description) == ("s", None, None)


def test_a_body_in_old_metadata() -> None:
    """It is a description where no value was cut short."""
    assert parse(OLD + b"Author: Ann\n\nbody").description == "body"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\xef\xbb\xbf" + HEAD, "begins with a byte order mark"),
        (HEAD.decode().encode("utf-16"), "begins with a byte order mark"),
        (HEAD + b"Author: \0", "contains a NUL character"),
        (HEAD + b"Author: Ann\xe9", "is not UTF-8"),
        (HEAD + b"Author: \xed\xa0\x80", "is not UTF-8"),
        (HEAD + b"License: MIT\nor so\n", "has a line 5 that is neither a header nor the continuation"),
        (HEAD + b"Summary: a\rRequires-Dist: b\n", "has a line 4 that is neither"),
        (b"\n" + HEAD + b"\nbody", "has a line 1 that is neither"),
        (b" " + HEAD, "has a line 1 that is neither"),
        (HEAD + b"Na me: x\n", "has a line 4 that is neither"),
        (HEAD + b": x\n", "has a line 4 that is neither"),
        (HEAD + "Náme: x\n".encode(), "has a line 4 that is neither"),
        (HEAD + b"Classifier: x\n" * 100_000, "has more than 10000 headers"),
        (HEAD + b"x" * (4 << 20), "is larger than 4194304 bytes"),
    ],
)
def test_files_readers_would_understand_differently(raw: bytes, why: str) -> None:
    """They are refused with the reason, as a problem of the metadata as a whole."""
    with pytest.raises(InvalidField) as caught:
        parse(raw)
    assert caught.value.field == "metadata"
    assert str(caught.value).startswith(f"The metadata inside the file {why}")


def test_the_bound_is_the_callers() -> None:
    """One byte too many is too many."""
    assert parse(HEAD, max_bytes=len(HEAD)).name == "a"
    with pytest.raises(InvalidField):
        parse(HEAD, max_bytes=len(HEAD) - 1)


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        (b"Name: b\n", "name"),
        (b"Summary: a\nSummary: a\n", "summary"),
        (b"Description: a\n\nb\n", "description"),
        (b"Project-URL: A, https://a.example\nProject-URL: A, https://b.example\n", "project_urls"),
        (b"Requires-Dist: " + b"a" * 5000 + b"\n", "requires_dist"),
    ],
)
def test_values_that_cannot_be_held(lines: bytes, field: str) -> None:
    """A second value of a single field, a second URL of a label, and a value too long are refused."""
    with pytest.raises(InvalidField) as caught:
        parse(HEAD + lines)
    assert caught.value.field == field


@settings(max_examples=300)
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [b"Metadata-Version: ", b"1.1", b"2.1", b"Name", b":", b"\n", b"\r", b" ", b"UNKNOWN"]
        )
        | st.binary(max_size=3),
        max_size=40,
    ).map(b"".join)
)
@example(b"")
@example(b"Metadata-Version: 1.1\n\nbody")
@example(b"Metadata-Version: 1.1\nx")
@example(b"Metadata-Version: 2.1\n  x")
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """No file makes the reader fail in any other way, and what is read can be stored."""
    try:
        metadata = parse(raw)
    except InvalidField:
        return
    assert not any("\0" in text for field in FIELDS for text in metadata.texts(field))
    assert Metadata.from_json(metadata.to_json()) == metadata
