"""Store paths: one grammar, no way out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypi.domain.filenames import MAX_BYTES
from pypi.files.paths import StorePath, check, metadata_path, parse, store_path

DIGEST = "0123456789abcdef" * 4
PATH = f"01/23/{DIGEST[4:]}/a-1.tar.gz"

digests = st.text("0123456789abcdef", min_size=64, max_size=64)
filenames = st.from_regex(r"[A-Za-z0-9_!+~][A-Za-z0-9._!+~-]{0,40}", fullmatch=True).filter(
    lambda name: not name.endswith(".metadata")
)


def test_path_of_a_digest() -> None:
    """Two digits, two digits, sixty digits, and the filename."""
    assert store_path(DIGEST, "a-1.tar.gz") == PATH
    assert parse(PATH) == StorePath(DIGEST, "a-1.tar.gz")
    assert parse(metadata_path(PATH)) == StorePath(DIGEST, "a-1.tar.gz", is_metadata=True)


@given(digests, filenames, st.booleans())
def test_paths_survive_being_parsed(digest: str, filename: str, is_metadata: bool) -> None:
    """A path that is made and parsed names the same file."""
    path = store_path(digest, filename)
    path = metadata_path(path) if is_metadata else path
    parsed = parse(path)
    assert parsed == StorePath(digest, filename, is_metadata)
    assert str(parsed) == path


@pytest.mark.parametrize(
    "filename",
    [
        "",
        ".",
        "..",
        ".hidden",
        "-x",
        "a/b",
        "a\\b",
        "a b",
        "a\n",
        "a\0",
        "ä-1.zip",
        "a.metadata",
        "x" * (MAX_BYTES + 1),
    ],
)
def test_unsafe_filenames_make_no_path(filename: str) -> None:
    """What could lead elsewhere, hide, or be taken for metadata is refused."""
    with pytest.raises(ValueError, match="filename"):
        store_path(DIGEST, filename)
    assert parse(f"01/23/{DIGEST[4:]}/{filename}") is None or filename == "a.metadata"


@pytest.mark.parametrize(
    "digest", ["", DIGEST[1:], f"{DIGEST}0", DIGEST.upper(), f"g{DIGEST[1:]}", f"{DIGEST}\n"]
)
def test_only_digests_make_a_path(digest: str) -> None:
    """A digest is 64 lower-case hexadecimal digits."""
    with pytest.raises(ValueError, match="digest"):
        store_path(digest, "a-1.tar.gz")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/" + PATH,
        PATH + "/",
        PATH + "\n",
        PATH.upper(),
        "../" + PATH,
        PATH.replace("/a-1", "/../a-1"),
        PATH.replace("01/", "01//"),
        PATH.replace("01/", "1/"),
        PATH.replace("/", "\\"),
        PATH + ".metadata.metadata",
        f"01/23/{DIGEST[4:]}/.metadata",
        f"01/23/{DIGEST[4:]}/..",
        f"packages/{PATH}",
        PATH.replace("0", "٠"),
    ],
)
def test_what_is_no_path(path: str) -> None:
    """Everything but exactly a store path is refused."""
    assert parse(path) is None
    with pytest.raises(ValueError, match="store path"):
        check(path)


@given(st.text(max_size=200))
def test_nothing_else_is_taken_apart(text: str) -> None:
    """Whatever text is a path is made of exactly its parts."""
    parsed = parse(text)
    assert parsed is None or str(parsed) == text


def test_check_compares_the_digest() -> None:
    """A path fits the bytes it names, and no others; metadata has no digest of its own."""
    check(PATH)
    check(PATH, DIGEST)
    with pytest.raises(ValueError, match="digest"):
        check(PATH, DIGEST[::-1])
    with pytest.raises(ValueError, match="digest"):
        check(metadata_path(PATH), DIGEST)
