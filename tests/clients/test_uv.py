"""uv publishes and installs."""

from __future__ import annotations

import pytest

from tests.clients import distributions
from tests.clients.desk import Desk, said
from tests.clients.distributions import installed, sha256
from tests.support import interpreters
from tests.support.service import PASSWORD


@pytest.mark.usefixtures("published")
class TestInstall:
    """``uv pip install``."""

    def test_wheel_and_source(self, desk: Desk) -> None:
        """It installs a wheel, of the newest release for this Python, and builds a source distribution."""
        desk.uv_install("plain-wheel", "modern-sdist", "taken-back", "MIXED__case.-NAME")
        assert installed(desk.target) == {
            "plain-wheel": "1.1",
            "modern-sdist": "1.0",
            "taken-back": "1.1",
            "mixed-case-name": "1.0",
        }

    def test_other_pythons(self, desk: Desk) -> None:
        """It installs for a Python other than its own time's."""
        desk.uv_install("plain-wheel", "modern-sdist", python=interpreters.interpreter("3.7"))
        assert installed(desk.target) == {"plain-wheel": "1.1", "modern-sdist": "1.0"}

    def test_pinned_yanked_release(self, desk: Desk) -> None:
        """Who pins a yanked release gets it, and is told why it was yanked."""
        done = desk.uv_install("taken-back==1.2")
        assert installed(desk.target) == {"taken-back": "1.2"}
        assert "it was no good" in said(done)

    def test_index_url_without_its_slash(self, desk: Desk) -> None:
        """The slash at the end of the index URL may be left away."""
        desk.uv_install("plain-wheel", index=desk.service.simple.rstrip("/"))
        assert installed(desk.target) == {"plain-wheel": "1.1"}

    def test_hashes(self, desk: Desk, published: Desk) -> None:
        """It installs what has the pinned hash, and nothing else."""
        digest = sha256(published.dist / "plain_wheel-1.0-py2.py3-none-any.whl")
        requirements = desk.folder / "requirements.txt"
        requirements.write_text(f"plain-wheel==1.0 --hash=sha256:{'0' * 64}\n")
        refused = desk.uv_install("--require-hashes", "--requirement", requirements, status=1)
        assert "Hash mismatch for `plain-wheel==1.0`" in said(refused)
        requirements.write_text(f"plain-wheel==1.0 --hash=sha256:{digest}\n")
        desk.uv_install("--require-hashes", "--requirement", requirements)
        assert installed(desk.target) == {"plain-wheel": "1.0"}


def test_publish_with_a_token(desk: Desk) -> None:
    """It publishes wheels and source distributions with an API token."""
    files = [distributions.wheel(desk.dist, "uv-token"), distributions.modern_sdist(desk.dist, "uv-token")]
    desk.uv_publish("--token", desk.service.token, *files)
    digests = {name: file["hashes"]["sha256"] for name, file in desk.listed("uv-token").items()}
    assert digests == {path.name: sha256(path) for path in files}


def test_publish_with_user_and_password(desk: Desk) -> None:
    """It publishes with a user name and a password."""
    assert desk.service.token
    file = distributions.wheel(desk.dist, "uv-password")
    desk.uv_publish("--username", "ada", "--password", PASSWORD, file)
    assert list(desk.listed("uv-password")) == [file.name]


def test_publish_again(desk: Desk) -> None:
    """What is on the index already is not sent again when it may check, and does no harm otherwise."""
    file = distributions.wheel(desk.dist, "uv-again")
    token = ("--token", desk.service.token)
    desk.uv_publish(*token, "--check-url", desk.service.simple, file)
    checked = desk.uv_publish(*token, "--check-url", desk.service.simple, file)
    assert f"File {file.name} already exists, skipping" in said(checked)
    assert "Uploading" in said(desk.uv_publish(*token, file))


def test_publish_other_bytes_under_a_taken_filename(desk: Desk) -> None:
    """It shows the index's own sentence when a filename is taken."""
    token = ("--token", desk.service.token)
    desk.uv_publish(*token, distributions.wheel(desk.dist, "uv-taken"))
    other = distributions.wheel(desk.dist, "uv-taken", data=b"other")
    done = desk.uv_publish(*token, other, status=2)
    assert f"400 File already exists ('{other.name}', with blake2_256 hash" in said(done)


def test_publish_with_a_wrong_token(desk: Desk) -> None:
    """It shows the index's own sentence when the token is no good."""
    file = distributions.wheel(desk.dist, "uv-wrong-token")
    done = desk.uv_publish("--token", desk.service.token[:-1] + "-", file, status=2)
    assert "Invalid or non-existent authentication information." in said(done)
