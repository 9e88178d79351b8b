"""A source distribution has one top folder, named for the release, with its PKG-INFO."""

from __future__ import annotations

import pytest

from pypi.domain.errors import InvalidDistribution, InvalidField
from pypi.publishing.archives import Limits
from pypi.publishing.archives.contents import LicenseFileMissing
from tests.support.archives import (
    ZipMember,
    core_metadata,
    inspected,
    sdist,
    sdist_filename,
    tar_member,
    zip_bytes,
)

ENDINGS = pytest.mark.parametrize("ending", [".tar.gz", ".zip"])


@ENDINGS
def test_contents(ending: str) -> None:
    """The metadata comes out byte for byte, with what else was found."""
    info = core_metadata(headers=[("License-File", "LICENSE")], description="caf\u00e9\n")
    files = {"LICENSE": b"free", "demo.py": b"answer = 42\n"}
    contents = inspected(sdist(metadata=info, files=files, ending=ending), sdist_filename(ending=ending))
    assert contents.metadata == info
    assert contents.license_files == ("LICENSE",)
    assert contents.expanded_bytes == len(info) + 16
    assert contents.warnings == ()


@ENDINGS
def test_no_pkg_info(ending: str) -> None:
    """Without PKG-INFO in the top folder there is no sdist."""
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(sdist(omit=["PKG-INFO"], ending=ending), sdist_filename(ending=ending))
    assert refusal.value.detail == "PKG-INFO not found at demo-1.0/PKG-INFO"


def test_pkg_info_is_a_link() -> None:
    """A link in the place of PKG-INFO is not PKG-INFO."""
    link = tar_member("demo-1.0/PKG-INFO", type=b"2", target="demo.py")
    with pytest.raises(InvalidDistribution, match="PKG-INFO not found"):
        inspected(sdist(omit=["PKG-INFO"], more=[link]), sdist_filename())


def test_pkg_info_in_two_cases() -> None:
    """A second PKG-INFO, which would replace the first where case does not count, is refused."""
    with pytest.raises(InvalidDistribution, match="More than one PKG-INFO at"):
        inspected(sdist(files={"pkg-info": b""}), sdist_filename())


def test_pkg_info_deeper() -> None:
    """Another PKG-INFO further down, as setuptools puts one, is ordinary."""
    assert inspected(sdist(files={"demo.egg-info/PKG-INFO": b""}), sdist_filename()).entries == 3


@ENDINGS
def test_large_pkg_info(ending: str) -> None:
    """PKG-INFO has a limit of its own."""
    data = sdist(metadata=core_metadata(description="x" * 5000), ending=ending)
    with pytest.raises(InvalidDistribution, match="PKG-INFO' is larger than 4096 bytes"):
        inspected(data, sdist_filename(ending=ending), Limits(metadata_bytes=4096))


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (sdist(more=[tar_member("other/x")]), ".tar.gz"),
        (sdist(more=[tar_member("setup.py")]), ".tar.gz"),
        (zip_bytes([ZipMember("demo-1.0/PKG-INFO", core_metadata()), ZipMember("other/x")]), ".zip"),
    ],
)
def test_two_top_folders(data: bytes, ending: str) -> None:
    """Everything lies in one folder."""
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(data, sdist_filename(ending=ending))
    assert refusal.value.detail == "Incorrect number of top-level directories in sdist"


@pytest.mark.parametrize("top", ["demo-1.1", "demo-latest", "other-1.0", "demo", "demo-1.0-x", "demo 1.0"])
def test_top_folder_of_another_release(top: str) -> None:
    """The top folder is named for the release of the filename."""
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(sdist(top=top), sdist_filename())
    assert refusal.value.detail == f"Its top folder is {top!r}, should be 'demo-1.0'"


@pytest.mark.parametrize("top", ["Demo-1.0", "demo-1.0.0", "demo-v1.0"])
def test_top_folder_spelled_otherwise(top: str) -> None:
    """Tools older than PEP 625 spelled name and version in the folder as they pleased."""
    assert inspected(sdist(top=top), sdist_filename()).entries == 3


@pytest.mark.parametrize(
    ("info", "sentence"),
    [
        (core_metadata("other"), "Its metadata is of project 'other', its filename of 'demo'"),
        (core_metadata(version="2"), "Its metadata is of version '2', its filename of '1.0'"),
        (core_metadata(version="latest"), "Its metadata is of version 'latest', its filename of '1.0'"),
        (b"", "Its metadata is of project '', its filename of 'demo'"),
    ],
)
def test_metadata_of_another_release(info: bytes, sentence: str) -> None:
    """PKG-INFO repeats the name and version of the filename."""
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(sdist(metadata=info), sdist_filename())
    assert refusal.value.detail == sentence


@pytest.mark.parametrize("info", [b"\xff", b"\xef\xbb\xbfName: demo", b"Name: a\nName: b\n", b"hello\n"])
def test_unreadable_metadata(info: bytes) -> None:
    """Metadata that readers would understand differently is refused."""
    with pytest.raises(InvalidField):
        inspected(sdist(metadata=info), sdist_filename())


def test_metadata_of_many_headers() -> None:
    """More headers than anybody needs are refused without delay."""
    info = core_metadata(headers=[(f"X-{number}", "y") for number in range(100_000)])
    with pytest.raises(InvalidField, match="has more than 10000 headers"):
        inspected(sdist(metadata=info), sdist_filename())


@ENDINGS
def test_license_file_missing(ending: str) -> None:
    """Every license file the metadata names is there."""
    data = sdist(headers=[("License-File", "LICENSE")], ending=ending)
    with pytest.raises(LicenseFileMissing) as refusal:
        inspected(data, sdist_filename(ending=ending))
    assert str(refusal.value) == (
        f"License-File LICENSE does not exist in distribution file demo-1.0{ending} at demo-1.0/LICENSE"
    )


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3"])
def test_license_file_before_it_was_a_field(version: str) -> None:
    """Before metadata 2.4 the field means nothing."""
    info = core_metadata(headers=[("License-File", "LICENSE")], metadata_version=version)
    assert inspected(sdist(metadata=info), sdist_filename()).license_files == ()
