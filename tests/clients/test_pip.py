"""The current pip installs, downloads and looks around."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.clients.desk import JSON, Desk, said
from tests.clients.distributions import installed, sha256
from tests.clients.relay import Relay
from tests.support.interpreters import Pip

pytestmark = pytest.mark.usefixtures("published")


def test_it_reads_the_json_page_and_the_metadata_beside_the_wheel(desk: Desk, current_pip: Pip) -> None:
    """pip decides by the metadata file alone, and fetches the one wheel it then installs."""
    done = desk.pip_install(current_pip, "-vv", "plain-wheel==1.0")
    assert installed(desk.target) == {"plain-wheel": "1.0"}
    assert f"/simple/plain-wheel/ as {JSON}" in said(done)
    fetched = re.findall(r'"GET (\S+) HTTP/1\.1" (\d+)', done.stdout)
    assert [(path.rpartition("/")[2], status) for path, status in fetched] == [
        ("", "200"),
        ("plain_wheel-1.0-py2.py3-none-any.whl.metadata", "200"),
        ("plain_wheel-1.0-py2.py3-none-any.whl", "200"),
    ]


def test_it_builds_a_source_distribution(desk: Desk, current_pip: Pip) -> None:
    """A release that has no wheel is built from its source."""
    desk.pip_install(current_pip, "modern-sdist")
    assert installed(desk.target) == {"modern-sdist": "1.0"}


@pytest.mark.parametrize(
    ("option", "fetched"),
    [("--only-binary", "both_kinds-1.0-py2.py3-none-any.whl"), ("--no-binary", "both_kinds-1.0.tar.gz")],
)
def test_it_downloads_the_kind_that_was_asked_for(
    desk: Desk, current_pip: Pip, option: str, fetched: str
) -> None:
    """A release has a wheel and a source distribution under one project."""
    desk.pip(current_pip, "download", option, ":all:", "--dest", "here", "both-kinds")
    assert [path.name for path in (desk.folder / "here").iterdir()] == [fetched]


def test_its_download_is_counted_once(desk: Desk, current_pip: Pip) -> None:
    """What pip reads to decide is no download, the file it then fetches is one."""

    def counted() -> float:
        with urlopen(f"{desk.service.operator_url}metrics") as answer:
            lines = answer.read().decode().splitlines()
        return sum(
            float(line.split()[-1]) for line in lines if line.startswith("cheeseshop_downloads_total{")
        )

    before = counted()
    for number in (1, 2):
        desk.pip(current_pip, "download", "--no-cache-dir", "--dest", f"here{number}", "large-wheel")
        assert counted() == before + number


def test_it_lists_the_versions(desk: Desk, current_pip: Pip) -> None:
    """``pip index versions`` shows every version this Python can use, and no yanked one."""
    shown = said(desk.pip(current_pip, "index versions", "plain-wheel"))
    assert "plain-wheel (1.1)" in shown
    assert "Available versions: 1.1, 1.0" in shown
    assert "Available versions: 1.1, 1.0" in said(desk.pip(current_pip, "index versions", "taken-back"))


def test_it_passes_over_files_for_other_pythons(desk: Desk, current_pip: Pip) -> None:
    """The newest release is not the best if it is for another Python."""
    desk.pip_install(current_pip, "plain-wheel")
    assert installed(desk.target) == {"plain-wheel": "1.1"}


def test_it_passes_over_a_yanked_release(desk: Desk, current_pip: Pip) -> None:
    """A yanked release is not chosen by anybody who did not ask for it."""
    desk.pip_install(current_pip, "taken-back>=1.0")
    assert installed(desk.target) == {"taken-back": "1.1"}


def test_it_installs_a_yanked_release_that_is_pinned(desk: Desk, current_pip: Pip) -> None:
    """Who pins a yanked release gets it, and is told why it was yanked."""
    done = desk.pip_install(current_pip, "taken-back==1.2")
    assert installed(desk.target) == {"taken-back": "1.2"}
    assert "it was no good" in said(done)


def test_it_verifies_hashes(desk: Desk, published: Desk, current_pip: Pip) -> None:
    """What the index hands out has the hash that the uploader's own file has."""
    digest = sha256(published.dist / "plain_wheel-1.0-py2.py3-none-any.whl")
    good = written(desk, f"plain-wheel==1.0 --hash=sha256:{digest}\n")
    desk.pip_install(current_pip, "--require-hashes", "--requirement", good)
    assert installed(desk.target) == {"plain-wheel": "1.0"}


def test_it_refuses_other_hashes(desk: Desk, current_pip: Pip) -> None:
    """A file that is not the pinned one is not installed."""
    bad = written(desk, f"plain-wheel==1.0 --hash=sha256:{'0' * 64}\n")
    done = desk.pip_install(current_pip, "--require-hashes", "--requirement", bad, status=1)
    assert "DO NOT MATCH THE HASHES" in said(done)
    assert not desk.target.exists()


def written(desk: Desk, requirements: str) -> Path:
    """A requirements file."""
    path = desk.folder / "requirements.txt"
    path.write_text(requirements)
    return path


@pytest.mark.parametrize("spelling", ["mixed-case-name", "Mixed.Case_Name", "MIXED__case.-NAME"])
def test_any_spelling_finds_the_project(desk: Desk, current_pip: Pip, spelling: str) -> None:
    """Letter case and the kind of separator make no difference."""
    desk.pip_install(current_pip, spelling)
    assert installed(desk.target) == {"mixed-case-name": "1.0"}


def test_index_url_without_its_slash_works(desk: Desk, current_pip: Pip) -> None:
    """People leave the slash at the end of the index URL away."""
    desk.pip_install(current_pip, "plain-wheel", index=desk.service.simple.rstrip("/"))
    assert installed(desk.target) == {"plain-wheel": "1.1"}


def test_unknown_project_is_not_found(desk: Desk, current_pip: Pip) -> None:
    """pip says that there is no such project, and nothing worse."""
    done = desk.pip_install(current_pip, "nobody-published-this", status=1)
    assert "No matching distribution found for nobody-published-this" in said(done)
    assert "Traceback" not in said(done)


def test_it_resumes_a_download_that_broke_off(desk: Desk, current_pip: Pip) -> None:
    """After a lost connection pip asks for the rest only, and puts the file together rightly."""
    if current_pip.release < (25, 1):
        pytest.skip(f"{current_pip} does not resume downloads.")
    with Relay(desk.service.url, breaks=b".whl HTTP/1.1", after=100_000) as relay:
        desk.pip(
            current_pip,
            "download",
            *("--proxy", relay.proxy, "--resume-retries", "3", "--dest", "here", "large-wheel"),
        )
    (fetched,) = (desk.folder / "here").iterdir()
    entry = desk.listed("large-wheel")[fetched.name]
    assert relay.broken == 1
    assert sha256(fetched) == entry["hashes"]["sha256"]
    ranges = [head for head in relay.heads if re.search(rb"(?i)\r\nrange: bytes=[1-9]\d+-\r\n", head)]
    assert len(ranges) == 1


def test_curl_resumes_a_download(desk: Desk, published: Desk) -> None:
    """``curl --continue-at -`` adds what is missing to a file that was fetched in part."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not on PATH.")
    (original,) = published.dist.glob("large_wheel-*")
    whole = original.read_bytes()
    part = desk.folder / original.name
    part.write_bytes(whole[:123_456])
    url = desk.listed("large-wheel")[original.name]["url"]
    desk.run(curl, "--silent", "--fail", "--max-time", "30", "--continue-at", "-", "--output", part, url)
    assert part.read_bytes() == whole
