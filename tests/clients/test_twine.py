"""twine uploads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients import distributions
from tests.clients.desk import Desk, said
from tests.clients.distributions import installed, sha256
from tests.support.interpreters import Pip
from tests.support.service import PASSWORD
from tests.support.site import ask_pip, kept

OWN_WHEELS = ["attrs", "klein", "packaging", "txredisapi"]
OWN_SDISTS = ["packaging"]
"""Dependencies of this project that are small, and that pip looks into quickly."""


def test_wheels_and_sdists(desk: Desk) -> None:
    """One run publishes wheels and source distributions, byte for byte."""
    files = [
        distributions.wheel(desk.dist, "twine-both"),
        distributions.modern_sdist(desk.dist, "twine-both"),
        distributions.wheel(desk.dist, "twine-both", "2.0", requires_python=">=3.8"),
        distributions.classic_sdist(desk.dist, "twine-both", "2.0"),
    ]
    desk.twine(*files)
    listed = desk.listed("twine-both")
    assert {name: file["hashes"]["sha256"] for name, file in listed.items()} == {
        path.name: sha256(path) for path in files
    }
    assert {name: file["requires-python"] for name, file in listed.items()} == {
        path.name: ">=3.8" if path.name == "twine_both-2.0-py2.py3-none-any.whl" else None for path in files
    }


def test_with_user_and_password(desk: Desk) -> None:
    """A user name and a password are as good as a token."""
    assert desk.service.token
    file = distributions.wheel(desk.dist, "twine-password")
    desk.twine(file, user="ada", password=PASSWORD)
    assert list(desk.listed("twine-password")) == [file.name]


def test_repeated(desk: Desk) -> None:
    """The very same file once more is no mistake, and twine can tell what happened."""
    file = distributions.wheel(desk.dist, "twine-repeated")
    first = said(desk.twine("--verbose", file))
    second = said(desk.twine("--verbose", file))
    assert f"Response from {desk.service.legacy}: 200 OK" in first
    assert f"{file.name} is published." in first
    assert f"Response from {desk.service.legacy}: 200 OK" in second
    assert f"{file.name} was already on the index." in second


def test_taken_filename(desk: Desk) -> None:
    """Other bytes under a filename that is taken: twine shows why not, and nothing changes."""
    file = distributions.wheel(desk.dist, "twine-taken")
    before = sha256(file)
    desk.twine(file)
    other = distributions.wheel(desk.dist, "twine-taken", data=b"other")
    refused = said(desk.twine(other, status=1))
    assert f"400 Bad Request from {desk.service.legacy} File already exists ('{file.name}'" in refused
    verbose = said(desk.twine("--verbose", other, status=1))
    assert f"Response from {desk.service.legacy}: 400 File already exists ('{file.name}'" in verbose
    assert desk.listed("twine-taken")[file.name]["hashes"]["sha256"] == before


def test_skip_existing(desk: Desk) -> None:
    """``--skip-existing`` understands the refusal, goes past it and publishes the rest."""
    desk.twine(distributions.wheel(desk.dist, "twine-skip"))
    files = [
        distributions.wheel(desk.dist, "twine-skip", data=b"other"),
        distributions.wheel(desk.dist, "twine-skip", "1.1"),
    ]
    done = desk.twine("--skip-existing", *files, program=taking_ours(desk))
    assert f"Skipping {files[0].name} because it appears to already exist" in said(done)
    assert set(desk.listed("twine-skip")) == {path.name for path in files}


def test_skip_existing_by_the_json_api(desk: Desk) -> None:
    """``--skip-existing`` finds in the JSON API what is there, by any name, and sends only the rest."""
    file = distributions.wheel(desk.dist, "Twine.Skip_JSON")
    desk.twine(file)
    # Sent once more, the very same file would be taken; so it is the document that twine goes by.
    again = desk.twine("--verbose", "--skip-existing", file, program=taking_ours(desk))
    assert f"Skipping {file.name} because it appears to already exist" in said(again)
    assert "Response from" not in said(again)
    newer = distributions.wheel(desk.dist, "Twine.Skip_JSON", "1.1")
    both = desk.twine("--verbose", "--skip-existing", file, newer, program=taking_ours(desk))
    assert f"Skipping {file.name} because" in said(both)
    assert f"{newer.name} is published." in said(both)


def taking_ours(desk: Desk) -> tuple[str, ...]:
    """twine has ``--skip-existing`` for the public index alone: here it takes ours for that one."""
    url = desk.service.url
    ours = f"r.WAREHOUSE, r.LEGACY_PYPI = {url!r}, {url.replace('127.0.0.1', 'localhost')!r}"
    return "-c", f"import sys; from twine import __main__, repository as r; {ours}; sys.exit(__main__.main())"


def test_wrong_token(desk: Desk) -> None:
    """With a wrong token twine shows the index's own sentence, and nothing is published."""
    file = distributions.wheel(desk.dist, "twine-wrong-token")
    refused = said(desk.twine(file, password=desk.service.token[:-1] + "-", status=1))
    assert "401 Unauthorized" in refused
    assert "Invalid or non-existent authentication information." in refused
    assert desk.service.sql("SELECT 1 FROM projects WHERE normalized = 'twine-wrong-token'") == []


def test_file_that_is_no_wheel(desk: Desk) -> None:
    """What is wrong with an archive is said in one sentence."""
    file = distributions.wheel(desk.dist, "twine-broken")
    file.write_bytes(file.read_bytes() + b"more")
    refused = said(desk.twine(file, status=1))
    assert f"400 Bad Request from {desk.service.legacy} Invalid distribution file." in refused


@pytest.mark.network
def test_dependencies_of_this_project(desk: Desk, current_pip: Pip) -> None:
    """Real wheels and source distributions, which pip downloaded, are published and installed again."""
    folder = kept("own-distributions", _download)
    if isinstance(folder, str):
        pytest.skip(f"pip cannot download from the index of this machine: {folder}")
    files = sorted(folder.iterdir())
    assert len(files) == len(OWN_WHEELS) + len(OWN_SDISTS)
    desk.twine(*files)
    for file in files:
        project = file.name.split("-")[0]
        assert desk.listed(project)[file.name]["hashes"]["sha256"] == sha256(file)
    desk.pip_install(current_pip, "--only-binary=:all:", "attrs", "klein", "packaging")
    assert set(installed(desk.target)) == {"attrs", "klein", "packaging"}


def _download(folder: Path) -> str:
    """Have this machine's pip download, with its own settings; returns why it cannot, or nothing."""
    for only, wanted in (("--only-binary=:all:", OWN_WHEELS), ("--no-binary=:all:", OWN_SDISTS)):
        if complaint := ask_pip("download", "--no-deps", "--dest", str(folder), only, *wanted):
            return complaint
    return ""
