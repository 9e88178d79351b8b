"""What an operator may say of an OpenID Connect provider."""

from __future__ import annotations

import pytest

from pypi.config import ConfigError, load
from pypi.config.openid import may_be_asked

WHOLE = {
    "CHEESESHOP_OPENID_ISSUER": "https://id.example/realm/",
    "CHEESESHOP_OPENID_CLIENT_ID": "cheeseshop",
    "CHEESESHOP_OPENID_CLIENT_SECRET": "s3cret-s3cret",
}


def test_whole() -> None:
    """An issuer is kept as it is written, since it has to be the one of every token."""
    said = load(environment=WHOLE).openid
    assert (said.issuer, said.client_id) == ("https://id.example/realm/", "cheeseshop")
    assert (said.scopes, said.registration, said.trust_mfa) == (
        ("openid", "profile", "email"),
        "access",
        False,
    )


@pytest.mark.parametrize("missing", WHOLE)
def test_half_said(missing: str) -> None:
    """A provider is named whole or not at all; what is missing is named, and nothing secret."""
    with pytest.raises(ConfigError) as raised:
        load(environment={name: value for name, value in WHOLE.items() if name != missing})
    assert missing.removeprefix("CHEESESHOP_OPENID_").lower() in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example",
        "http://10.0.0.1/",
        "https://",
        "https://user:s3cret@id.example",
        "https://id.example/?realm=1",
        "https://id.example/?",
        "https://id.example/#x",
        "ftp://id.example",
        "id.example",
        "https://id.example:port/",
        f"https://id.example/{'x' * 500}",
    ],
)
def test_other_issuers(issuer: str) -> None:
    """Over plain HTTP nobody says who people are, but for this machine; an issuer is a plain URL."""
    with pytest.raises(ConfigError, match=r"openid\.issuer"):
        load(environment={**WHOLE, "CHEESESHOP_OPENID_ISSUER": issuer})


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9999", "http://localhost/x", "http://[::1]:1/"])
def test_this_machine(issuer: str) -> None:
    """On this machine plain HTTP will do, for tests."""
    assert load(environment={**WHOLE, "CHEESESHOP_OPENID_ISSUER": issuer}).openid.issuer == issuer


@pytest.mark.parametrize(
    ("key", "value"),
    [("SCOPES", 'a"b'), ("ALLOWED_DOMAINS", "a@b.example"), ("ALLOWED_DOMAINS", "b example")],
)
def test_other_words(key: str, value: str) -> None:
    """Scopes and domains are what they are elsewhere."""
    with pytest.raises(ConfigError):
        load(environment={f"CHEESESHOP_OPENID_{key}": value})


def test_may_be_asked() -> None:
    """A provider's own addresses are asked over TLS; on this machine only where it is itself."""
    there, here = "https://id.example", "http://localhost:1"
    assert may_be_asked("https://keys.example/x?y", of=there)
    for url in (
        "http://id.example/",
        "http://localhost:1/",
        "https://u@id.example/",
        "https:///",
        "https://[",
        "",
    ):
        assert not may_be_asked(url, of=there)
    assert may_be_asked("http://127.0.0.1:2/", of=here)
    assert not may_be_asked("http://id.example/", of=here)
