"""Submissions: what an upload form says, understood or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pypi.domain.errors import Invalid, InvalidField
from pypi.domain.filenames import FileType
from pypi.files.spool import Spooled
from pypi.publishing.submission import DIGESTS, Submission, UnusableFile, parse, usable_file

SPOOLED = Spooled(path=Path("/nowhere"), size=10, sha256="a" * 64, blake2_256="b" * 64, md5="c" * 32)
WHEEL = "demo-1.0-py2.py3-none-any.whl"
SDIST = "demo-1.0.tar.gz"

GOOD: dict[str, Sequence[str]] = {
    "name": ["demo"],
    "version": ["1.0"],
    "filetype": ["bdist_wheel"],
    "pyversion": ["py2.py3"],
    "sha256_digest": ["a" * 64],
}


def form(**changes: str | Sequence[str] | None) -> Mapping[str, Sequence[str]]:
    """The good form of a wheel, changed; ``None`` leaves a field out."""
    fields = {**GOOD, **changes}
    return {
        name: [value] if isinstance(value, str) else value
        for name, value in fields.items()
        if value is not None
    }


def refusal(fields: Mapping[str, Sequence[str]], filename: str = WHEEL) -> Invalid:
    """What the form is refused for."""
    with pytest.raises(Invalid) as raised:
        parse(fields, filename, SPOOLED)
    return raised.value


def test_a_wheel() -> None:
    """A form and its file make a submission."""
    made = parse(form(summary="Sliced", comment="first", requires_dist=["a", "b>1"]), WHEEL, SPOOLED)
    assert (made.name, made.version, made.project) == ("demo", "1.0", "demo")
    assert (made.file.filename, made.file.filetype) == (WHEEL, FileType.WHEEL)
    assert (made.python_version, made.comment) == ("py2.py3", "first")
    assert (made.metadata.summary, made.metadata.requires_dist) == ("Sliced", ("a", "b>1"))
    assert made.spooled is SPOOLED


def test_an_sdist() -> None:
    """A source distribution is for ``source``, whether the form says so or not."""
    for pyversion in (None, "", "source"):
        made = parse(form(filetype="sdist", pyversion=pyversion), SDIST, SPOOLED)
        assert made.python_version == "source"


@pytest.mark.parametrize(
    ("name", "version", "filename"),
    [
        ("Demo", "1.0", WHEEL),
        ("DEMO", "1.0.0", WHEEL),
        ("demo", "v1", WHEEL),
        ("a.b-c", "1.0", "a_b_c-1.0-py2.py3-none-any.whl"),
        ("A_B", "1.0.RC1", "a_b-1.0rc1-py2.py3-none-any.whl"),
    ],
)
def test_spellings(name: str, version: str, filename: str) -> None:
    """Name and version of form and file agree in whatever spelling; the form's is kept."""
    made = parse(form(name=name, version=version), filename, SPOOLED)
    assert (made.name, made.version) == (name, version)


def test_nothing_said() -> None:
    """A field sent as UNKNOWN, empty or blank is one not sent; of several values the first counts."""
    made = parse(
        form(
            name=["UNKNOWN", " demo "],
            comment=["UNKNOWN"],
            md5_digest=["", "UNKNOWN"],
            protocol_version=" 1 ",
        ),
        WHEEL,
        SPOOLED,
    )
    assert (made.name, made.comment) == ("demo", "")


def test_nul() -> None:
    """A NUL, which the database cannot keep, becomes four characters that say what it was."""
    assert parse(form(comment="a\0b"), WHEEL, SPOOLED).comment == "a\\x00b"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"protocol_version": "2", "name": None}, "protocol_version"),
        ({"name": None, "filetype": None}, "name"),
        ({"filetype": None, "pyversion": None}, "filetype"),
        ({"pyversion": None, "version": None}, "pyversion"),
        ({"version": None, "sha256_digest": None}, "version"),
        ({"summary": ["a", "b"], "sha256_digest": None}, "summary"),
        ({"sha256_digest": None}, "md5_digest"),
        ({"sha256_digest": "x", "md5_digest": "x"}, "md5_digest"),
        ({"sha256_digest": "x", "blake2_256_digest": "x"}, "sha256_digest"),
    ],
)
def test_the_first_mistake(changes: Mapping[str, str | None], field: str) -> None:
    """Of several mistakes the first is reported, in one order for all."""
    found = refusal(form(**changes))
    assert isinstance(found, InvalidField)
    assert found.field == field


def test_form_before_filename_before_digests() -> None:
    """The form's own fields come first, then the filename, then the digests."""
    assert isinstance(refusal(form(version="x"), "bad"), InvalidField)
    assert isinstance(refusal(form(sha256_digest="x"), "bad"), UnusableFile)


@pytest.mark.parametrize("field", DIGESTS)
def test_digests(field: str) -> None:
    """Each digest is compared in whatever case it is written, and one that differs is enough to refuse."""
    attribute, digits, _ = DIGESTS[field]
    right = getattr(SPOOLED, attribute)
    for written in (right, right.upper(), f" {right} "):
        assert parse(form(**{"sha256_digest": None, field: written}), WHEEL, SPOOLED)
    wrong = "The digest supplied does not match a digest calculated from the uploaded file."
    assert str(refusal(form(**{field: "0" * digits}))) == wrong
    for other in DIGESTS:
        if other != field:
            both = form(**{field: right, other: "0" * DIGESTS[other][1]})
            assert str(refusal(both)) == wrong


@pytest.mark.parametrize("field", ["sha256_digest", "blake2_256_digest"])
@pytest.mark.parametrize("text", ["0", "g" * 64, "0" * 63, "0" * 65, "٠" * 64, "0" * 63 + "\n0"])
def test_digests_that_are_none(field: str, text: str) -> None:
    """What is no digest is said to be none."""
    assert "Use a valid, hex-encoded" in str(refusal(form(**{field: text})))


@pytest.mark.parametrize(
    "filename",
    ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz", "demo-1.0.zip", "demo-1.0-py3-none-win32.whl"],
)
def test_usable_files(filename: str) -> None:
    """A distribution's filename is taken apart."""
    assert usable_file(filename).filename == filename


@pytest.mark.parametrize(
    "filename",
    [
        "a/demo-1.0.tar.gz",
        "a\\demo-1.0.tar.gz",
        "demo-1.0.tar.gz\0",
        "demo-1.0-cp39-cp39-linux_x86_64.whl",
        "x",
    ],
)
def test_unusable_files(filename: str) -> None:
    """Any other filename is refused."""
    with pytest.raises(UnusableFile):
        usable_file(filename)


texts = st.one_of(
    st.text(max_size=20), st.sampled_from(["demo", "1.0", "UNKNOWN", "a" * 64, "sdist", "x" * 300])
)
some_fields = st.sampled_from(
    [*GOOD, *DIGESTS, "protocol_version", "summary", "project_urls", "description", "x"]
)


@given(
    st.dictionaries(some_fields, st.lists(texts, max_size=3), max_size=6),
    st.one_of(st.sampled_from([WHEEL, SDIST]), st.text(max_size=30)),
)
@example({"version": ["9" * 5000]}, WHEEL)
@example({"name": ["\ud800"]}, WHEEL)
@example({"description": ["\ud800"]}, WHEEL)
@example({}, "\ud800-1.0.tar.gz")
def test_any_form(fields: Mapping[str, Sequence[str]], filename: str) -> None:
    """Whatever a form says, it is understood, or refused in one sentence."""
    with suppress(Invalid):
        assert isinstance(parse({**GOOD, **fields}, filename, SPOOLED), Submission)
