"""The rules of metadata: every sentence, their order, and texts made to hurt."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pypi.domain.metadata import FIELDS, Kind, Metadata, refusals

SEE = " See https://packaging.python.org/specifications/core-metadata for more information."
SEE_LOCAL = (
    " See https://packaging.python.org/en/latest/specifications/version-specifiers/"
    "#local-version-identifiers for more information."
)
GOOD = Metadata(metadata_version="2.5", name="a", version="1.0")
CLASSIFIERS = {"Topic :: Old", "Topic :: Gone", "Topic :: New"}
DEPRECATED = {"Topic :: Old": ["Topic :: New"], "Topic :: Gone": []}


def is_email(address: str) -> str | None:
    return None if "@" in address else "An email address must have an @-sign."


def sentences(metadata: Metadata, **options: Any) -> list[tuple[str, str]]:
    found = refusals(metadata, classifiers=CLASSIFIERS, deprecated=DEPRECATED, is_email=is_email, **options)
    return [(refusal.field, str(refusal)) for refusal in found]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("metadata_version", "9.9", "'9.9' is not a valid metadata version."),
        ("metadata_version", "2.0", "'2.0' is not a valid metadata version."),
        ("metadata_version", "2.6", "'2.6' is not a valid metadata version."),
        ("metadata_version", None, "None is not a valid metadata version."),
        ("name", "-a", "'-a' is invalid for 'name'."),
        ("name", "a\n", "'a\\n' is invalid for 'name'."),
        ("name", None, "'name' is a required field."),
        ("version", "one", "'one' is invalid for 'version'."),
        ("version", "1" * 5000, f"'{'1' * 98}...{'1' * 98}' is invalid for 'version'."),
        ("version", None, "'version' is a required field."),
        ("summary", "a\nb", "'summary' must be a single line."),
        ("summary", "a\u2028b", "'summary' must be a single line."),
        ("summary", "a\x07b", "'summary' must not contain control characters."),
        ("summary", "a" * 513, "'summary' field must be 512 characters or less."),
        ("author", "a\x1b[2J", "'author' must not contain control characters."),
        (
            "description_content_type",
            "text/html",
            "'description-content-type' must be one of ['text/markdown', 'text/plain', 'text/x-rst'], "
            "not 'text/html'.",
        ),
        (
            "description_content_type",
            "text/plain; charset=latin-1",
            "'description-content-type' can only specify the UTF-8 charset, not 'latin-1'.",
        ),
        (
            "description_content_type",
            "text/markdown; variant=Mine",
            "valid Markdown variants for 'description-content-type' are ['CommonMark', 'GFM'], not 'Mine'.",
        ),
        (
            "description_content_type",
            "text/markdown; *",
            "'text/markdown; *' is not a valid content type for 'description-content-type'.",
        ),
        (
            "author_email",
            '"Ann, the author" <ann>, b@b.example',
            "'ann' is not a valid email address: An email address must have an @-sign.",
        ),
        (
            "maintainer_email",
            "Ann, b@b.example",
            "'Ann' is not a valid email address: An email address must have an @-sign.",
        ),
        (
            "author_email",
            "a" * 319 + "@b",
            f"'{'a' * 98}...{'a' * 96}@b' is not a valid email address: The email address is too long.",
        ),
        ("classifiers", ("Topic :: Mine",), "'Topic :: Mine' is not a valid classifier."),
        (
            "classifiers",
            ("Topic :: Old",),
            "The classifier 'Topic :: Old' has been deprecated, use one of ['Topic :: New'] instead.",
        ),
        ("classifiers", ("Topic :: Gone",), "The classifier 'Topic :: Gone' has been deprecated."),
        ("home_page", "javascript:alert(1)", "'javascript:alert(1)' is not a valid url."),
        ("home_page", "https://a.example/a b", "'https://a.example/a b' is not a valid url."),
        ("home_page", "https://a.example/%zz", "'https://a.example/%zz' is not a valid url."),
        ("home_page", "https:", "'https:' is not a valid url."),
        ("download_url", "ftp://a.example/", "'ftp://a.example/' is not a valid url."),
        ("project_urls", (("", "https://a.example"),), "Must have a label."),
        ("project_urls", (("a" * 33, "https://a.example"),), f"'{'a' * 33}' must be 32 characters or less."),
        ("project_urls", (("Home", ""),), "Must have a URL."),
        ("project_urls", (("Home", "data:text/html,x"),), "'data:text/html,x' is not a valid url."),
        ("requires_python", "three", "'three' is invalid for 'requires-python'."),
        ("requires_dist", ("a b",), "'a b' is invalid for 'requires-dist'."),
        ("requires_dist", ("",), "'' is invalid for 'requires-dist'."),
        (
            "requires_dist",
            ("a@https://a.example/a.whl",),
            "Can't have direct dependency: a @ https://a.example/a.whl.",
        ),
        (
            "provides_dist",
            ("a b",),
            "'a b' is invalid: Expected semicolon (after name with no version specifier) or end.",
        ),
        (
            "obsoletes_dist",
            ("a @ https://a.example/",),
            "Can't have direct dependency: 'a @ https://a.example/'.",
        ),
        ("provides_extra", ("_x",), "'_x' is invalid for 'provides-extra'."),
        ("license_expression", "My own", "'My own' is invalid for 'license-expression'."),
        (
            "license_file",
            ("../LICENSE",),
            "'../LICENSE' is invalid for 'license-file', parent directory indicators are not allowed.",
        ),
        (
            "license_file",
            ("LICEN[CS]E*",),
            "'LICEN[CS]E*' is invalid for 'license-file', paths must be resolved.",
        ),
        ("license_file", ("/LICENSE",), "'/LICENSE' is invalid for 'license-file', paths must be relative."),
        (
            "license_file",
            ("C:\\LICENSE",),
            "'C:\\\\LICENSE' is invalid for 'license-file', paths must be relative.",
        ),
        (
            "license_file",
            ("a\\LICENSE",),
            "'a\\\\LICENSE' is invalid for 'license-file', paths must use '/' delimiter.",
        ),
        (
            "import_name",
            ("a.1",),
            "'a.1' is invalid for 'import-name'; '1' is not a valid identifier.",
        ),
        ("import_name", ("a.class",), "'a.class' is invalid for 'import-name'; 'class' is a keyword."),
        ("import_name", ("a", ""), "'' is invalid for 'import-name'; '' is not a valid identifier."),
        (
            "import_namespace",
            ("a ; secret",),
            "'a ; secret' is invalid for 'import-namespace'; the only valid option is 'private'.",
        ),
        ("dynamic", ("Name",), "'name' is not allowed as a dynamic field."),
        ("dynamic", ("Mood",), "'mood' is not a valid dynamic field."),
        ("dynamic", ("Dynamic",), "Dynamic field 'Dynamic' is not a valid dynamic field."),
    ],
)
def test_the_sentence_of_each_rule(field: str, value: Any, sentence: str) -> None:
    """Each rule names its field and speaks as the public index does."""
    assert sentences(evolve(GOOD, **{field: value})) == [(field, sentence + SEE)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("metadata_version", version) for version in "1.0 1.1 1.2 2.1 2.2 2.3 2.4 2.5".split()),
        ("summary", "a" * 512),
        ("description", "a\x0cb"),
        ("description_content_type", "text/x-rst"),
        ("description_content_type", 'Text/Markdown; charset="utf-8"; variant=CommonMark;'),
        ("description_content_type", "text/plain; variant=Mine"),
        ("author_email", '"Ann, the author" <ann@a.example>, nonsense'),
        ("author_email", "ann@a.example"),
        ("classifiers", ("Topic :: New",)),
        ("home_page", "HTTPS://me:secret@a.example:8080/a/%20?q=1#anything[]"),
        ("home_page", "http://[::1]/"),
        ("project_urls", (("a" * 32, "http://a.example"),)),
        ("requires_python", ">=3.8, !=3.9.*"),
        ("requires_dist", ('a[b] (>=1) ; extra == "c"',)),
        ("provides_dist", ("a (==1.0)",)),
        ("provides_extra", ("A_b.c",)),
        ("license_expression", "mit OR LicenseRef-mine"),
        ("license_file", ("licenses/LICENSE.txt",)),
        ("import_name", ("a.b", "_c; private")),
        ("import_name", ("",)),
        ("dynamic", ("Description", "requires-dist")),
    ],
)
def test_values_that_keep_the_rules(field: str, value: Any) -> None:
    """Nothing is said of good values."""
    assert sentences(evolve(GOOD, **{field: value})) == []


@pytest.mark.parametrize("field", [field for field in FIELDS.values() if field.since != "1.0"])
def test_fields_newer_than_their_metadata(field: Any) -> None:
    """A field needs the metadata version that introduced it; its own rule then does not matter."""
    value = {Kind.SINGLE: "?", Kind.LIST: ("?",), Kind.URLS: (("?", "?"),)}[field.kind]
    metadata = evolve(GOOD, metadata_version="1.0", **{field.name: value})
    sentence = f"{field.header} introduced in metadata version {field.since}, not 1.0."
    assert (field.name, sentence + SEE) == sentences(metadata)[0]
    metadata = evolve(GOOD, metadata_version=field.since, **{field.name: value})
    assert (field.name, sentence + SEE) not in sentences(metadata)


def test_local_versions() -> None:
    """They are for private indexes that ask for them."""
    metadata = evolve(GOOD, version="1.0+ours")
    assert sentences(metadata) == [
        ("version", f"The use of local versions in '1.0+ours' is not allowed.{SEE_LOCAL}")
    ]
    assert sentences(metadata, allow_local=True) == []


def test_two_kinds_of_licence() -> None:
    """A license expression replaces the free text."""
    assert sentences(evolve(GOOD, license="MIT", license_expression="MIT")) == [
        (
            "license",
            "License is deprecated when License-Expression is present. "
            f"Only License-Expression should be present.{SEE}",
        )
    ]


def test_the_first_refusal_is_the_public_indexs() -> None:
    """Metadata version, name and version lead, then fields by name; the standard goes before the index."""
    metadata = Metadata(
        metadata_version="0",
        name="-",
        version="x",
        summary="a" * 513,
        classifiers=("b", "a"),
        home_page="x",
        requires_python="x",
        provides_extra=("-",),
    )
    assert [field for field, _ in sentences(metadata)] == [
        "metadata_version",
        "name",
        "version",
        "provides_extra",
        "requires_python",
        "classifiers",
        "classifiers",
        "home_page",
        "summary",
    ]


@pytest.mark.parametrize("fields", [field.name for field in FIELDS.values()])
@pytest.mark.parametrize(
    "text",
    [
        "(" * 4000,
        "a; " + "(" * 4000,
        "( mit and " * 400,
        "1" * 4096,
        "1." * 2048 + "!",
        ">=1," * 1000,
        " " * 4095 + "!",
        '"' * 4096,
        "<" * 4096,
        "http://" + "a@" * 2000,
        "http://a/" + "%" * 4000,
        "text/plain;" + ";" * 4000,
        "text/plain; " + "a=" * 2000,
        "../" * 1300,
        "\ud7ff\x85\u2028",
    ],
)
def test_texts_made_to_hurt(fields: str, text: str) -> None:
    """Long and deeply nested texts end in sentences of bounded length, never in another exception."""
    value = {
        Kind.SINGLE: text,
        Kind.URLS: ((text, text),),
    }.get(FIELDS[fields].kind, (text,))
    assert all(len(sentence) < 1000 for _, sentence in sentences(evolve(GOOD, **{fields: value})))


@settings(max_examples=100)
@given(st.sampled_from(sorted(FIELDS)), st.text(max_size=30))
def test_any_text_is_judged(field: str, text: str) -> None:
    """No text makes a rule fail in any other way than by a sentence."""
    metadata = Metadata.of_texts(
        {"metadata_version": ["2.5"], "name": ["a"], "version": ["1"], field: [text]}
    )
    assert {refused for refused, _ in sentences(metadata)} <= {field}
