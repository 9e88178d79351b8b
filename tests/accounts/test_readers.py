"""Readers: recognised with each request, at the cost of one look-up a second."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock

from pypi.accounts import readers as module
from pypi.accounts.accounts import Accounts
from pypi.accounts.errors import WrongCredentials
from pypi.accounts.programs import Programs
from pypi.accounts.readers import REMEMBERED, Readers
from pypi.accounts.throttle import Throttle, Throttled
from pypi.db.database import DatabaseDown
from pypi.domain.permissions import TOKEN_USER, Credentials, Identity
from tests.accounts.conftest import Kept
from tests.support.databases import ask

PASSWORD = "correct horse"
WHERE = "192.0.2.1"


@define(eq=False)
class Counted:
    """Accounts that count how often they are asked."""

    accounts: Accounts
    asked: list[str] = field(factory=list)
    fails: bool = False

    async def authenticate(self, given: Credentials | None) -> Identity:
        assert given is not None
        self.asked.append(given.password)
        if self.fails:
            raise DatabaseDown()
        return await self.accounts.authenticate(given)


@define(eq=False)
class World:
    """Readers, what they ask, and the time they go by."""

    readers: Readers
    counted: Counted
    clock: Clock
    kept: Kept

    async def shows(self, password: str, name: str = "ada", *, where: str = WHERE) -> str:
        """The account that is recognised; empty for none, or what is said else."""
        try:
            return (await self.readers.recognise(Credentials(name, password), where)).name
        except WrongCredentials:
            return ""
        except Throttled:
            return "too often"


@pytest.fixture
def world(kept: Kept) -> World:
    clock, counted = Clock(), Counted(kept.accounts)
    database = kept.accounts.database
    throttle = Throttle(database=database, now=kept.clock.now)
    programs = Programs(
        accounts=counted,  # type: ignore[arg-type]
        throttle=throttle,
        reactor=clock,
        key=b"k" * 32,
    )
    readers = Readers(programs=programs, database=database, reactor=clock)
    return World(readers, counted, clock, kept)


async def test_one_look_a_second(world: World) -> None:
    """All requests of a second with the same right credentials share one look, also those at once."""
    await world.kept.accounts.add_user("ada", email="ada@people.example", password=PASSWORD)
    token = await world.kept.accounts.add_token("ada")
    for name, password in (("ada", PASSWORD), (TOKEN_USER, token)):
        world.counted.asked.clear()
        looks = [Deferred.fromCoroutine(world.shows(password, name)) for _ in range(20)]
        assert set(await gatherResults(looks)) == {"ada"}
        assert await world.shows(password, name) == "ada"
        assert world.counted.asked == [password]
        world.clock.advance(REMEMBERED)
        assert await world.shows(password, name) == "ada"
        assert world.counted.asked == [password, password]


async def test_revoked(world: World) -> None:
    """What was right is refused a second after it was revoked, however often it was shown until then."""
    await world.kept.accounts.add_user("ada", email="ada@people.example", password=PASSWORD)
    token = await world.kept.accounts.add_token("ada")
    assert await world.shows(token, TOKEN_USER) == "ada"
    ask(world.kept.url, "UPDATE tokens SET revoked = now() RETURNING 1")
    ask(world.kept.url, "UPDATE users SET password_hash = NULL RETURNING 1")
    for _ in range(9):
        world.clock.advance(REMEMBERED / 10)
        await world.shows(token, TOKEN_USER)
    world.clock.advance(REMEMBERED / 5)
    assert await world.shows(token, TOKEN_USER) == ""
    assert await world.shows(PASSWORD) == ""


async def test_guesses_are_counted(world: World) -> None:
    """Wrong passwords are refused unlooked at after ten; who showed the right one before reads on."""
    await world.kept.accounts.add_user("ada", email="ada@people.example", password=PASSWORD)
    assert await world.shows(PASSWORD) == "ada"
    said = [await world.shows(f"guess {number}") for number in range(12)]
    assert said == [""] * 10 + ["too often"] * 2
    world.counted.asked.clear()
    assert await world.shows("another guess", where="192.0.2.9") == "too often"
    assert world.counted.asked == []
    world.clock.advance(REMEMBERED)
    assert await world.shows(PASSWORD) == "ada"
    world.kept.clock.advance(timedelta(minutes=5))
    assert await world.shows("a guess") == ""


async def test_tokens_are_not_counted(world: World) -> None:
    """Nobody guesses a token, so a wrong one keeps nobody out."""
    token = f"cheeseshop-{'0' * 16}-{'0' * 64}"
    assert [await world.shows(token, TOKEN_USER) for _ in range(15)] == [""] * 15


async def test_nobody_can_say(world: World) -> None:
    """A database that does not answer recognises nobody, and is asked again."""
    await world.kept.accounts.add_user("ada", email="ada@people.example", password=PASSWORD)
    world.counted.fails = True
    with pytest.raises(DatabaseDown):
        await world.shows(PASSWORD)
    world.counted.fails = False
    assert await world.shows(PASSWORD) == "ada"


async def test_memory_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many credentials are remembered, and the oldest make room."""
    monkeypatch.setattr(module, "MOST", 3)
    await world.kept.accounts.add_user("ada", email="ada@people.example", password=PASSWORD)
    for token in [await world.kept.accounts.add_token("ada") for _ in range(5)]:
        assert await world.shows(token, TOKEN_USER) == "ada"
    assert len(world.readers._known) == 3
    assert repr(world.readers).startswith("<Readers 3 known")
