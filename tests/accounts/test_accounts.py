"""Accounts: made, recognised, and not recognised."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults

from pypi.accounts.errors import (
    AddressTaken,
    NameTaken,
    NoCredentials,
    NoSuchUser,
    UnusableAddress,
    UnusableName,
    UnusablePassword,
    WrongCredentials,
)
from pypi.accounts.passwords import MAX_LENGTH, MIN_LENGTH, Passwords
from pypi.domain.errors import NoSuchProject, Refusal
from pypi.domain.permissions import Credentials, Identity
from tests.accounts.conftest import Kept
from tests.support.databases import ask

PASSWORD = "correct horse"


async def add(kept: Kept, name: str = "ada", *, password: str | None = PASSWORD, **more: Any) -> None:
    await kept.accounts.add_user(name, email=f"{name}@people.example", password=password, **more)


async def refused(kept: Kept, name: str, password: str) -> bool:
    """Whether these credentials are wrong."""
    try:
        await kept.accounts.authenticate(Credentials(name, password))
    except WrongCredentials:
        return True
    return False


# Made


async def test_new_account(kept: Kept) -> None:
    """An account has a verified address and a hash of its password, which does not hold the password."""
    await add(kept, is_admin=True)
    [(name, hashed, is_admin, is_active)] = ask(
        kept.url, "SELECT name, password_hash, is_admin, is_active FROM users"
    )
    assert (name, is_admin, is_active) == ("ada", True, True)
    assert str(hashed).startswith("$argon2id$")
    assert PASSWORD not in str(hashed)
    assert ask(kept.url, "SELECT address, is_primary, verified FROM emails") == [
        ("ada@people.example", True, kept.clock.time)
    ]


async def test_usable_names(kept: Kept) -> None:
    """Letters, digits and inner separators name an account."""
    for name in ("a", "A1", "ada.lovelace", "a-b_c.d", "x" * 50, "0"):
        await add(kept, name, password=None)
        assert (await kept.accounts.named(name)).name == name


async def test_unusable_names(kept: Kept) -> None:
    """Any other name is refused, and nothing is kept of it."""
    outside = ("-ada", "ada-", "a b", "ada\n", "ädä", "a/b", "a:b", "a@b", "a\0b")
    for name in ("", " ", "__token__", "x" * 51, *outside):
        with pytest.raises(UnusableName, match="cannot be a user name"):
            await kept.accounts.add_user(name, email="ada@people.example", password=None)
    assert ask(kept.url, "SELECT 1 FROM users") == []


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "@people.example", "a b@people.example", "a@b\n.example"]
)
async def test_unusable_addresses(kept: Kept, address: str) -> None:
    """What is no e-mail address is refused."""
    with pytest.raises(UnusableAddress, match="is not an e-mail address"):
        await kept.accounts.add_user("ada", email=address, password=None)
    assert ask(kept.url, "SELECT 1 FROM users") == []


async def test_unusable_passwords(kept: Kept) -> None:
    """A password has a least and a greatest length."""
    for length in (0, MIN_LENGTH - 1, MAX_LENGTH + 1):
        with pytest.raises(UnusablePassword, match="8 to 1024"):
            await add(kept, password="p" * length)
    assert ask(kept.url, "SELECT 1 FROM users") == []


async def test_names_and_addresses_are_taken_once(kept: Kept) -> None:
    """Letter case tells neither two names nor two addresses apart; a refusal keeps nothing."""
    await add(kept, password=None)
    with pytest.raises(NameTaken, match="already a user named 'ADA'"):
        await kept.accounts.add_user("ADA", email="other@people.example", password=None)
    with pytest.raises(AddressTaken, match="belongs to another user"):
        await kept.accounts.add_user("bob", email="ADA@people.example", password=None)
    assert ask(kept.url, "SELECT name FROM users") == [("ada",)]
    assert ask(kept.url, "SELECT address FROM emails") == [("ada@people.example",)]


async def test_one_name_at_once(kept: Kept) -> None:
    """Of many who take a name at once one gets it."""

    async def attempt(number: int) -> bool:
        try:
            await kept.accounts.add_user("ada", email=f"{number}@people.example", password=None)
        except NameTaken:
            return False
        return True

    attempts = [Deferred.fromCoroutine(attempt(number)) for number in range(10)]
    assert sum(await gatherResults(attempts)) == 1
    assert len(ask(kept.url, "SELECT 1 FROM emails")) == 1


async def test_everybody(kept: Kept) -> None:
    """The operator's list shows everybody, by name."""
    for name in ("bob", "Ada", "carol"):
        await add(kept, name, password=None)
    lines = await kept.accounts.everybody()
    assert [(line.name, line.email, line.projects) for line in lines] == [
        ("Ada", "Ada@people.example", 0),
        ("bob", "bob@people.example", 0),
        ("carol", "carol@people.example", 0),
    ]


# Recognised by a password


async def test_password(kept: Kept) -> None:
    """Name in any case and password make an identity that is bound to no project."""
    await add(kept, "Ada")
    for name in ("Ada", "ADA"):
        found = await kept.accounts.authenticate(Credentials(name, PASSWORD))
        assert found == Identity(user_id=found.user_id, name="Ada")
        assert not found.is_operator


async def test_wrong_passwords(kept: Kept) -> None:
    """Whoever has one half of it wrong is not recognised."""
    await add(kept)
    for password in ("wrong horse", PASSWORD + " ", PASSWORD.upper(), "", "p" * 5000):
        assert await refused(kept, "ada", password), password
    for name in ("bob", "", "ada@people.example", "%", "ada\0", "ådå", "x" * 5000):
        assert await refused(kept, name, PASSWORD), name


async def test_account_without_password(kept: Kept) -> None:
    """No password fits an account that has none."""
    await add(kept, password=None)
    for password in ("", "None", "null", "nobody's password"):
        assert await refused(kept, "ada", password)


async def test_inactive_account(kept: Kept) -> None:
    """An account that was switched off is not recognised, and no different from one that is not there."""
    await add(kept)
    ask(kept.url, "UPDATE users SET is_active = false")
    assert await refused(kept, "ada", PASSWORD)
    ask(kept.url, "UPDATE users SET is_active = true")
    assert not await refused(kept, "ada", PASSWORD)


async def test_nobody(kept: Kept) -> None:
    """Who says nothing is told how to say it."""
    with pytest.raises(NoCredentials, match="__token__"):
        await kept.accounts.authenticate(None)


async def test_every_answer_costs_one_hash(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown name costs as much work as a known one, so that nobody learns which there are."""
    await add(kept)
    compared: list[str] = []
    matches = Passwords._matches

    def counted(self: Passwords, hashed: str, password: str) -> bool:
        compared.append(hashed)
        return matches(self, hashed, password)

    monkeypatch.setattr(Passwords, "_matches", counted)
    for name in ("ada", "bob", "not a name"):
        assert await refused(kept, name, "wrong horse")
    assert len(compared) == 3
    assert all(hashed.startswith("$argon2id$") for hashed in compared)


async def test_broken_hash(kept: Kept) -> None:
    """A hash that cannot be read fits no password."""
    await add(kept)
    ask(kept.url, "UPDATE users SET password_hash = 'x'")
    assert await refused(kept, "ada", PASSWORD)


# Recognised by a token


async def test_token(kept: Kept) -> None:
    """A token stands for its owner, and says which token it was."""
    await add(kept, password=None)
    token = await kept.accounts.add_token("ADA", description="d" * 200)
    found = await kept.accounts.authenticate(Credentials("__token__", f" {token}\n"))
    [(token_id, secret, description, expires, project)] = ask(
        kept.url, "SELECT id, secret_sha256, description, expires, project_id FROM tokens"
    )
    assert found == Identity(user_id=found.user_id, name="ada", token_id=str(token_id))
    assert (description, expires, project) == ("d" * 100, None, None)
    assert token.split("-")[2] not in bytes(secret).hex()  # type: ignore[call-overload]


async def test_token_of_a_project(kept: Kept) -> None:
    """A token may be bound to one project, named in any spelling, which has to exist."""
    await add(kept, password=None)
    ask(
        kept.url,
        "INSERT INTO projects (name, normalized, look_alike, created) VALUES ('A.B', 'a-b', 'ab', now())",
    )
    token = await kept.accounts.add_token("ada", project="a_B")
    [(project_id,)] = ask(kept.url, "SELECT id FROM projects")
    assert (await kept.accounts.authenticate(Credentials("__token__", token))).project_id == project_id
    with pytest.raises(NoSuchProject, match="no project named 'c'"):
        await kept.accounts.add_token("ada", project="c")


async def test_token_for_a_time(kept: Kept) -> None:
    """A token is good until the moment it expires, and not in that moment."""
    await add(kept, password=None)
    token = await kept.accounts.add_token("ada", lifetime=timedelta(days=1))
    kept.clock.advance(timedelta(days=1) - timedelta(microseconds=1))
    assert not await refused(kept, "__token__", token)
    kept.clock.advance(timedelta(microseconds=1))
    assert await refused(kept, "__token__", token)


async def test_tokens_that_are_no_good(kept: Kept) -> None:
    """A token ends with its row, its secret, its owner, their activity, or when it is revoked."""
    await add(kept, password=None)
    for sql in (
        "UPDATE tokens SET revoked = now()",
        "UPDATE tokens SET secret_sha256 = sha256('other')",
        "DELETE FROM tokens",
        "UPDATE users SET is_active = false",
        "UPDATE users SET is_active = true; DELETE FROM users",
    ):
        token = await kept.accounts.add_token("ada")
        ask(kept.url, "UPDATE users SET is_active = true")
        assert not await refused(kept, "__token__", token)
        ask(kept.url, sql)
        assert await refused(kept, "__token__", token), sql


async def test_tokens_that_are_none(kept: Kept) -> None:
    """What was not made here is no token."""
    await add(kept, password=None)
    token = await kept.accounts.add_token("ada")
    prefix, public, secret = token.split("-")
    for text in (
        "",
        "pypi-AgEIcHlwaS5vcmc",
        f"{prefix}-{public}",
        f"{prefix}-{public}-{'0' * 64}",
        f"{prefix}-{'0' * 16}-{secret}",
        f"{prefix}-{public}-{secret}0",
        f"{prefix}-{public}-{secret[:-1]}",
        token.upper(),
        token * 1000,
        "'; DELETE FROM tokens; --",
    ):
        assert await refused(kept, "__token__", text), text


async def test_owner_that_is_not_there(kept: Kept) -> None:
    """A token needs an owner, and an operator the right name."""
    attempts = (kept.accounts.add_token("ada"), kept.accounts.named("ada"))
    for attempt in attempts:
        with pytest.raises(NoSuchUser, match="no user named 'ada'"):
            await attempt


async def test_tokens_are_all_different(kept: Kept) -> None:
    """Each token has an id and a secret of its own, from the randomness it was given."""
    await add(kept, password=None)
    tokens = {await kept.accounts.add_token("ada") for _ in range(5)}
    assert len({token.split("-")[1] for token in tokens}) == 5
    constant = evolve(kept.accounts, random_bytes=bytes)
    assert await constant.add_token("ada") == f"cheeseshop-{'0' * 16}-{'0' * 64}"


def test_refusals_say_what_is_wrong() -> None:
    """No refusal of accounts tells which half of the credentials was wrong."""
    assert str(WrongCredentials()) == "Invalid or non-existent authentication information."
    assert issubclass(WrongCredentials, Refusal)
