"""Metadata of real distributions, and what a real client says of them."""

from __future__ import annotations

import re
import sysconfig
import zipfile
from collections import defaultdict
from pathlib import Path

import pytest
from trove_classifiers import classifiers, deprecated_classifiers
from twine.package import PackageFile
from twine.repository import Repository

from pypi.domain.metadata import Metadata, differences, from_form, parse, refusals

INSTALLED = sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info/METADATA"))

each_installed = pytest.mark.parametrize("path", INSTALLED, ids=lambda path: path.parent.stem)


def is_email(address: str) -> str | None:
    return None if re.fullmatch(r"[^@\s]+@[^@\s]+", address) else "It is not user@host."


def test_there_are_enough() -> None:
    """The tests below look at dozens of distributions."""
    assert len(INSTALLED) > 50


@each_installed
def test_installed_distributions_keep_the_rules(path: Path) -> None:
    """What other people published elsewhere could be published here."""
    metadata = parse(path.read_bytes())
    assert (
        refusals(metadata, classifiers=classifiers, deprecated=deprecated_classifiers, is_email=is_email)
        == []
    )
    assert Metadata.from_json(metadata.to_json()) == metadata


@each_installed
def test_the_form_twine_sends_agrees_with_the_file(path: Path, tmp_path: Path) -> None:
    """A wheel with this METADATA is announced by twine as the index reads it."""
    wheel = tmp_path / f"{path.parent.stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(path, f"{path.parent.name}/METADATA")
    dictionary = PackageFile.from_filename(str(wheel), comment=None).metadata_dictionary()
    fields = defaultdict(list)
    for name, value in Repository._convert_metadata_to_list_of_tuples(dictionary):
        fields[name].append(value)
    form = from_form(fields)
    assert form.name is not None
    assert differences(form, parse(path.read_bytes())) == []
