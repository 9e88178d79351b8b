"""Authenticator apps: set up by a right code, and each code good once."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, gatherResults

from pypi.accounts.factor_errors import NoTotp, TotpInUse, WrongCode
from pypi.accounts.totp import SECRET_SIZE, STEP, Enrolment, Totp, enrolment, step_of
from tests.accounts.conftest import Kept, owner
from tests.support.databases import ask

SECRET = bytes(range(SECRET_SIZE))
SECRETS = st.binary(min_size=SECRET_SIZE, max_size=SECRET_SIZE)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}", fullmatch=True)
TIMES = st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def totp_of(kept: Kept) -> Totp:
    accounts = kept.accounts
    return Totp(
        database=accounts.database, now=kept.clock.now, random_bytes=accounts.random_bytes, issuer="Cheese"
    )


def app_of(shown: Enrolment) -> pyotp.TOTP:
    """The app that scanned the code."""
    app = pyotp.parse_uri(shown.uri)
    assert isinstance(app, pyotp.TOTP)
    return app


async def account(kept: Kept, name: str = "ada") -> int:
    await kept.accounts.add_user(name, email=f"{name}@people.example", password=None)
    user_id = (await kept.accounts.named(name)).user_id
    assert user_id is not None
    return user_id


async def set_up(kept: Kept, user_id: int) -> pyotp.TOTP:
    """An account's app, in use; the clock stands where its next code is not yet used."""
    app = app_of(await totp_of(kept).begin(user_id, "ada"))
    await totp_of(kept).confirm(owner(user_id), app.at(kept.clock.time))
    kept.clock.advance(timedelta(seconds=STEP))
    return app


async def accepted(kept: Kept, user_id: int, code: str) -> bool:
    """Whether a code is."""
    try:
        await totp_of(kept).use(user_id, code)
    except WrongCode:
        return False
    return True


# Codes


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_of_the_standard(second: int, code: str) -> None:
    """The codes are those of RFC 6238, appendix B."""
    now = datetime.fromtimestamp(second, UTC)
    assert step_of(b"12345678901234567890", code, now) == second // STEP


@given(SECRETS, TIMES, st.integers(-5, 5))
def test_window(secret: bytes, now: datetime, offset: int) -> None:
    """A code is right one step before its time and one after, and no longer."""
    step = int(now.timestamp()) // STEP
    app = pyotp.TOTP(pyotp.random_base32())
    app.secret = enrolment(secret, issuer="Cheese", user_name="ada").secret.replace(" ", "")
    found = step_of(secret, app.generate_otp(step + offset), now)
    around = {app.generate_otp(step + near): step + near for near in (-1, 0, 1)}
    assert found == around.get(app.generate_otp(step + offset))
    if abs(offset) <= 1:
        assert found is not None


@given(st.text(max_size=60))
def test_what_is_no_code(text: str) -> None:
    """Whatever is not six ASCII digits, blanks aside, is wrong, and nothing worse."""
    now = datetime(2026, 5, 1, tzinfo=UTC)
    if not re.fullmatch(r"[0-9]{6}", "".join(text.split())):
        assert step_of(SECRET, text, now) is None


@given(st.lists(st.sampled_from([" ", "  ", "\t", "\u00a0", "\u2009", ""]), min_size=7, max_size=7))
def test_blanks_do_not_matter(blanks: list[str]) -> None:
    """A code with blanks in it is the same code, of the same step."""
    now = datetime(2026, 5, 1, tzinfo=UTC)
    code = pyotp.TOTP("AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT").at(now)
    spread = "".join(blank + digit for blank, digit in zip(blanks, code + " ", strict=True))
    assert step_of(SECRET, spread, now) == step_of(SECRET, code, now) is not None


# Set up


@given(SECRETS, st.text(min_size=1, max_size=60), NAMES)
def test_what_apps_learn(secret: bytes, issuer: str, name: str) -> None:
    """The URI names the index and the account, and holds the secret; a colon is in neither name."""
    shown = enrolment(secret, issuer=issuer, user_name=name)
    parts = urlsplit(shown.uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query)["secret"] == [shown.secret.replace(" ", "")]
    assert unquote(parts.path).rpartition(":")[2].removeprefix("/") == name
    assert unquote(parts.path).count(":") <= 1
    assert shown.secret not in repr(shown)


def test_qr() -> None:
    """The QR code is an SVG to stand within a page: it has a title, and neither script, style nor size."""
    svg = enrolment(SECRET, issuer="Cheese", user_name="ada").qr('Scan <this> & "that"')
    tree = ElementTree.fromstring(svg)
    assert tree.tag == "svg"
    assert [child.tag for child in tree] == ["title", "path", "path"]
    assert tree[0].text == 'Scan <this> & "that"'
    assert set(tree.attrib) == {"viewBox", "class"}
    assert not re.search(r"style|script|\bon\w+=|href|<\?xml", svg)


async def test_set_up(kept: Kept) -> None:
    """An app counts from the moment it shows a right code, and that code is used then."""
    user_id = await account(kept)
    totp = totp_of(kept)
    app = app_of(await totp.begin(user_id, "ada"))
    code = app.at(kept.clock.time)
    assert not await accepted(kept, user_id, code)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    with pytest.raises(WrongCode):
        await totp.confirm(owner(user_id), wrong)
    assert app_of(await totp.pending(user_id, "ada")).secret == app.secret
    await totp.confirm(owner(user_id), code)
    assert not await accepted(kept, user_id, code)
    with pytest.raises(NoTotp):
        await totp.pending(user_id, "ada")
    kept.clock.advance(timedelta(seconds=STEP))
    assert await accepted(kept, user_id, app.at(kept.clock.time))


async def test_begun_anew(kept: Kept) -> None:
    """Who begins anew before confirming gets another secret, and the first is worth nothing."""
    user_id = await account(kept)
    totp = totp_of(kept)
    first = app_of(await totp.begin(user_id, "ada"))
    second = app_of(await totp.begin(user_id, "ada"))
    assert first.secret != second.secret
    with pytest.raises(WrongCode):
        await totp.confirm(owner(user_id), first.at(kept.clock.time))
    await totp.confirm(owner(user_id), second.at(kept.clock.time))


async def test_secret_in_use_stays(kept: Kept) -> None:
    """Nobody replaces the secret of an app that is in use, nor confirms it twice."""
    user_id = await account(kept)
    app = await set_up(kept, user_id)
    with pytest.raises(TotpInUse):
        await totp_of(kept).begin(user_id, "ada")
    with pytest.raises(NoTotp):
        await totp_of(kept).confirm(owner(user_id), app.at(kept.clock.time))
    assert await accepted(kept, user_id, app.at(kept.clock.time))


# Used


async def test_replay(kept: Kept) -> None:
    """A code is good once, also with blanks in it, and no older one is good after it."""
    user_id = await account(kept)
    app = await set_up(kept, user_id)
    kept.clock.advance(timedelta(seconds=STEP))
    code, older = app.at(kept.clock.time), app.at(kept.clock.time, counter_offset=-1)
    assert await accepted(kept, user_id, f" {code[:3]} {code[3:]}\n")
    for again in (code, f"{code[:3]} {code[3:]}", f"\u00a0{code}", older):
        assert not await accepted(kept, user_id, again)
    kept.clock.advance(timedelta(seconds=STEP))
    assert not await accepted(kept, user_id, code)
    assert await accepted(kept, user_id, app.at(kept.clock.time))


async def test_every_code_at_most_once(kept: Kept) -> None:
    """Whatever is tried in whatever order, no code is accepted twice, and steps only go on."""
    user_id = await account(kept)
    app = await set_up(kept, user_id)
    taken: list[int] = []
    offsets = hashlib.sha256(b"offsets").digest()
    for number, byte in enumerate(offsets):
        kept.clock.advance(timedelta(seconds=byte % 20))
        offset = byte % 3 - 1 if number % 2 else 0
        step = app.timecode(kept.clock.time) + offset
        if await accepted(kept, user_id, app.generate_otp(step)):
            taken.append(step)
    assert taken == sorted(set(taken))
    assert len(taken) > 3


async def test_race(kept: Kept) -> None:
    """Of eight who show the same code at once, one is accepted."""
    user_id = await account(kept)
    app = await set_up(kept, user_id)
    code = app.at(kept.clock.time)
    tries = [Deferred.fromCoroutine(accepted(kept, user_id, code)) for _ in range(8)]
    assert sum(await gatherResults(tries)) == 1


async def test_confirmed_once(kept: Kept) -> None:
    """Of two who confirm the same secret at once, one does."""
    user_id = await account(kept)
    app = app_of(await totp_of(kept).begin(user_id, "ada"))

    async def confirmed() -> bool:
        try:
            await totp_of(kept).confirm(owner(user_id), app.at(kept.clock.time))
        except (WrongCode, NoTotp):
            return False
        return True

    assert sum(await gatherResults([Deferred.fromCoroutine(confirmed()) for _ in range(4)])) == 1


async def test_of_another_account(kept: Kept) -> None:
    """The code of one account is worth nothing for another, and no account without an app has any."""
    ada, bob = await account(kept), await account(kept, "bob")
    app = await set_up(kept, ada)
    code = app.at(kept.clock.time)
    assert not await accepted(kept, bob, code)
    await totp_of(kept).begin(bob, "bob")
    assert not await accepted(kept, bob, code)
    assert not await accepted(kept, 10**9, code)
    assert ask(kept.url, "SELECT count(*) FROM totp WHERE confirmed IS NOT NULL") == [(1,)]
