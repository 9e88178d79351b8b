"""Form against file: what counts as the same, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from pypi.domain.metadata import FIELDS, Kind, Metadata, differences, from_form, parse
from pypi.domain.metadata.compare import DECIDES_INSTALLATION

GOOD = Metadata(metadata_version="2.4", name="a", version="1.0")

PAIRS: dict[str, tuple[Any, Any]] = {
    "name": ("a", "b"),
    "version": ("1.0", "1.1"),
    "platform": (("linux",), ("win32",)),
    "supported_platform": (("linux",), ("win32",)),
    "summary": ("a", "b"),
    "description": ("a", "b"),
    "description_content_type": ("text/plain", "text/markdown"),
    "keywords": (("a",), ("b",)),
    "home_page": ("https://a.example", "https://b.example"),
    "download_url": ("https://a.example", "https://b.example"),
    "author": ("Ann", "Bob"),
    "author_email": ("ann@a.example", "bob@a.example"),
    "maintainer": ("Ann", "Bob"),
    "maintainer_email": ("ann@a.example", "bob@a.example"),
    "license": ("MIT", "BSD"),
    "license_expression": ("MIT", "BSD-3-Clause"),
    "license_file": (("LICENSE",), ("COPYING",)),
    "classifiers": (("A :: B",), ("A :: B", "A :: C")),
    "project_urls": ((("Home", "https://a.example"),), (("Home", "https://b.example"),)),
    "requires_python": (">=3.8", ">=3.9"),
    "requires_dist": (("b>=1",), ("b>=2",)),
    "requires_external": (("libpng",), ("libjpg",)),
    "requires": (("b",), ("c",)),
    "provides_dist": (("b (1)",), ("c (1)",)),
    "provides_extra": (("x",), ("y",)),
    "provides": (("b",), ("c",)),
    "obsoletes_dist": (("b",), ("c",)),
    "obsoletes": (("b",), ("c",)),
    "dynamic": (("Author",), ("License",)),
    "import_name": (("a",), ("b",)),
    "import_namespace": (("a",), ("b",)),
}


def with_(field: str, value: Any) -> Metadata:
    return evolve(GOOD, **{field: value})


def fields_of(form: Metadata, file: Metadata) -> list[str]:
    return [refusal.field for refusal in differences(form, file)]


@pytest.mark.parametrize("field", sorted(FIELDS.keys() - {"metadata_version"}))
def test_a_form_that_says_something_else(field: str) -> None:
    """Every field of the form, if it is there, has to say what the file says."""
    said, found = PAIRS[field]
    assert fields_of(with_(field, said), with_(field, found)) == [field]
    assert fields_of(with_(field, said), with_(field, said)) == []


@pytest.mark.parametrize("field", sorted(FIELDS.keys() - {"metadata_version"}))
def test_a_form_that_says_more(field: str) -> None:
    """What the file lacks may be told only where it decides nothing."""
    absent = None if FIELDS[field].kind is Kind.SINGLE else ()
    refused = [field] if field in DECIDES_INSTALLATION else []
    assert fields_of(with_(field, PAIRS[field][0]), with_(field, absent)) == refused


@pytest.mark.parametrize("field", sorted(FIELDS.keys() - {"metadata_version"}))
def test_a_form_that_says_less(field: str) -> None:
    """What the form leaves out the file tells."""
    absent = None if FIELDS[field].kind is Kind.SINGLE else ()
    assert fields_of(with_(field, absent), with_(field, PAIRS[field][0])) == []


def test_the_metadata_version_is_the_clients() -> None:
    """Some clients announce the version they speak rather than the file's."""
    assert fields_of(with_("metadata_version", "2.3"), with_("metadata_version", "2.1")) == []


@pytest.mark.parametrize(
    ("field", "said", "found"),
    [
        ("name", "My.Project", "my_project"),
        ("version", "1.0", "1.0.0"),
        ("version", "1.0-rc1", "1.0rc1"),
        ("version", "old version", "old version"),
        ("requires_python", ">=3.8,<4", "<4.0, >=3.8"),
        ("requires_python", ">=2.7.*", ">= 2.7.*"),
        ("requires_dist", ("B_c[X] (>=1,<2); extra=='y'",), ('b-c[x]<2,>=1 ; extra == "y"',)),
        ("requires_dist", ("a", "b"), ("b", "a", "A")),
        ("requires_dist", ("no  requirement",), ("no requirement",)),
        ("provides_extra", ("Test_Extra",), ("test-extra",)),
        ("license_expression", "mit or apache-2.0", "MIT OR Apache-2.0"),
        ("license", "MIT\r\n  or so", "MIT\n        or so"),
        ("license", "MIT\n       |or so", "MIT\nor so"),
        ("description", "Title\r\n=====\r\n\r\n    code", "Title\n=====\n\n    code\n\n"),
        ("description", "Title\n       |=====\n       |    code", "Title\n=====\n    code"),
        ("summary", "a  b", "a b"),
        ("keywords", ("one two", "three"), ("three", "two", "one")),
        ("classifiers", ("A :: B", "A :: C"), ("A :: C", "A :: B", "A :: C")),
        ("project_urls", (("A", "https://a"), ("B", "https://b")), (("B", "https://b"), ("A", "https://a"))),
        ("platform", ("linux", ""), ("linux",)),
        ("dynamic", ("license-file",), ("License-File",)),
        ("author_email", "Ann <ann@a.example>,\n b@b.example", "Ann <ann@a.example>, b@b.example"),
    ],
)
def test_the_same_said_otherwise(field: str, said: Any, found: Any) -> None:
    """Spelling, order, blanks and line ends do not count."""
    assert fields_of(with_(field, said), with_(field, found)) == []


@pytest.mark.parametrize(
    ("field", "said", "found"),
    [
        ("requires_dist", ("b",), ("b; extra == 'x'",)),
        ("requires_dist", ("b",), ("b[x]",)),
        ("requires_dist", ("b",), ("b", "c")),
        ("requires_dist", ("b", "c"), ("b",)),
        ("requires_dist", ("b; (" + "(" * 3000,), ("b",)),
        ("version", "1" * 5000, "1"),
        ("requires_python", ">=3.8", ">=3.8,<4"),
        ("import_name", ("",), ("a",)),
    ],
)
def test_not_quite_the_same(field: str, said: Any, found: Any) -> None:
    """Whatever changes what gets installed counts."""
    assert fields_of(with_(field, said), with_(field, found)) == [field]


def test_the_contact_of_distutils() -> None:
    """It sends the maintainer as author, and so may whoever has both."""
    file = evolve(
        GOOD, author="Ann", author_email="ann@a.example", maintainer="Bob", maintainer_email="bob@a.example"
    )
    assert fields_of(evolve(GOOD, author="Bob", author_email="bob@a.example"), file) == []
    assert fields_of(evolve(GOOD, author="Eve", author_email="eve@a.example"), file) == [
        "author",
        "author_email",
    ]


@pytest.mark.parametrize(
    ("field", "said", "found", "told"),
    [
        ("requires_python", ">=3.8", ">=3.9", "the form has '>=3.8', the file has '>=3.9'."),
        ("requires_dist", ("a", "b", "c"), ("a", "d"), "the form has 'b, c', the file has 'd'."),
        ("requires_dist", ("a",), (), "the form has 'a', the file has it not."),
        ("requires_dist", ("a",), ("a", "b"), "the form has 'a', the file has 'b'."),
        ("summary", "x" * 300, "y", f"the form has '{'x' * 98}...{'x' * 98}', the file has 'y'."),
    ],
)
def test_the_sentence_shows_both_sides(field: str, said: Any, found: Any, told: str) -> None:
    """Of lists it shows what only one side has; long values lose their middle."""
    (refusal,) = differences(with_(field, said), with_(field, found))
    assert str(refusal) == f"'{field}' in the upload form differs from the metadata inside the file: {told}"


def test_setup_py_upload_passes() -> None:
    """The form distutils of Python 2.7 sends agrees with the PKG-INFO it wrote."""
    form = from_form(
        {
            "metadata_version": ["1.0"],
            "name": ["Foo_Bar"],
            "version": ["1.0"],
            "summary": ["A summary"],
            "home_page": ["http://x.example/"],
            "author": ["The Maintainer"],
            "author_email": ["m@x.example"],
            "license": ["MIT\n  or so"],
            "description": ["Title\n=====\n\nText::\n\n    code\n\n  more  \n"],
            "keywords": ["one", "two three"],
            "platform": ["linux", "any"],
            "classifiers": ["Programming Language :: Python"],
            "download_url": ["http://x.example/d"],
            "comment": [""],
        }
    )
    file = parse(
        b"Metadata-Version: 1.1\nName: Foo_Bar\nVersion: 1.0\nSummary: A summary\n"
        b"Home-page: http://x.example/\nAuthor: The Maintainer\nAuthor-email: m@x.example\n"
        b"License: MIT\n  or so\nDownload-URL: http://x.example/d\n"
        b"Description: Title\n        =====\n        \n        Text::\n        \n            code\n"
        b"        \n          more  \n        \nKeywords: one,two three\nPlatform: linux\nPlatform: any\n"
        b"Classifier: Programming Language :: Python\n"
    )
    assert differences(form, file) == []


def test_setup_py_upload_passes_with_a_licence_of_several_lines() -> None:
    """Old PKG-INFO breaks off there, and the form is believed for what got lost."""
    form = from_form(
        {
            "name": ["a"],
            "version": ["1.0"],
            "summary": ["A summary"],
            "license": ["Do\n\nwhat you want"],
            "description": ["Title"],
            "classifiers": ["Programming Language :: Python"],
        }
    )
    file = parse(
        b"Metadata-Version: 1.1\nName: a\nVersion: 1.0\nSummary: A summary\nLicense: Do\n\nwhat you want\n"
        b"Description: Title\nClassifier: Programming Language :: Python\n"
    )
    assert differences(form, file) == []
    assert fields_of(evolve(form, version="1.1", summary="Other"), file) == ["summary", "version"]
