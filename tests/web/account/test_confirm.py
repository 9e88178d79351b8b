"""A code from a new browser: who is asked by mail, which browser the answer lets in, and which not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import define

from pypi.accounts.administration import Act
from pypi.accounts.confirming import LASTS
from pypi.domain.permissions import OPERATOR
from tests.support.client import Reply
from tests.support.confirming import confirm, known, links
from tests.support.factors import give_app, give_code
from tests.support.index import Index
from tests.support.managing import letters_to
from tests.support.visitor import PASSWORD, Visitor, give_password, visitor


@define
class Clock:
    """That of the machine, and how far it was put forward."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


CLOCK = Clock()

SETTINGS = {"limits__factor": 0, "now": CLOCK}

HERE, SECOND_FACTOR, SIGN_IN = "/account/confirm/", "/account/second-factor/", "/account/sign-in/"

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def on_time() -> None:
    """Each test begins at the time it is."""
    CLOCK.ahead = timedelta(0)


def code_of(index: Index, name: str) -> str:
    """A code that nobody has used: of an app of its own."""
    index.sql(f"DELETE FROM totp WHERE user_id = (SELECT id FROM users WHERE name = '{name}')")
    return str(give_app(index, name).at(CLOCK()))


async def waiting(index: Index, name: str, *, wanted: str = "") -> Visitor:
    """Somebody with a browser that is not known, who has shown a password and a code, and waits."""
    await give_password(index, name)
    somebody = Visitor(index.port)
    code = code_of(index, name)
    await somebody.look(f"{SIGN_IN}?next={wanted}")
    await somebody.send(SIGN_IN, {"name": name, "password": PASSWORD})
    reply = await somebody.send(SECOND_FACTOR, {"code": code}, headers={"User-Agent": FIREFOX})
    assert somebody.path.partition("?")[0] == HERE, reply.text
    return somebody


async def is_in(somebody: Visitor) -> bool:
    return (await somebody.look("/account/", follow=False)).status == 200


def events(index: Index, name: str) -> list[str]:
    """What the security log of an account tells, last first."""
    rows = index.sql(
        "SELECT event FROM audit JOIN users u ON u.id = user_id "
        f"WHERE u.name = '{name}' ORDER BY audit.id DESC"
    )
    return [event for (event,) in rows]


def copied(somebody: Visitor) -> Visitor:
    """What somebody had who kept all cookies of a browser."""
    return Visitor(somebody.port, cookies=dict(somebody.cookies))


# Who is let in


async def test_all_the_way(index: Index) -> None:
    """The link lets in the browser that waits, with another secret, to where they wanted; it is known."""
    grace = await waiting(index, "grace", wanted="/search/%3Fq=a%26page=2")
    assert "Look into your mail" in grace.seen.text if grace.seen else ""
    assert not await is_in(grace)
    before = copied(grace)
    [path] = links(index, "grace")
    page = (await grace.look(path)).text
    assert "Are you signing in?" in page
    assert "Firefox on Linux" in page
    assert "127.0.0.1" in page
    reply = await grace.send(path, follow=False)
    assert (reply.status, reply["Location"]) == (303, "/search/?q=a&page=2")
    assert await is_in(grace)
    assert not await is_in(before)
    assert events(index, "grace")[:3] == [
        "account.signed-in",
        "account.sign-in-asked",
        "account.sign-in-half",
    ]
    await grace.look("/account/")
    await grace.send("/account/sign-out/")
    await grace.sign_in("grace")
    reply = await grace.send(SECOND_FACTOR, {"code": code_of(index, "grace")})
    assert grace.path == "/account/"
    assert len(links(index, "grace")) == 1


async def test_letter(index: Index) -> None:
    """The letter says from where and with what, is good as long as its link, and holds no secret we keep."""
    joan = await waiting(index, "joan")
    [letter] = letters_to(index, "joan@people.example")
    about = letter["about"]
    assert (letter["letter"], about["user"], about["address"], about["agent"]) == (
        "confirm-sign-in",
        "joan",
        "127.0.0.1",
        "Firefox on Linux",
    )
    lasts = datetime.fromisoformat(letter["until"]) - datetime.fromisoformat(letter["at"])
    assert timedelta(0) < LASTS - lasts + timedelta(seconds=1) < timedelta(seconds=3)
    secret = about["path"].removeprefix(HERE)
    kept = index.sql("SELECT row_to_json(p)::text FROM proofs p")
    assert not any(secret in text or joan.cookies["cheeseshop-session"] in text for (text,) in kept)


async def test_known(index: Index) -> None:
    """With a browser that is known, a code is all it takes, and nobody is written to."""
    await give_password(index, "mary")
    code = code_of(index, "mary")
    mary = known(index, "mary")
    await mary.sign_in("mary")
    await mary.send(SECOND_FACTOR, {"code": code})
    assert mary.path == "/account/"
    assert letters_to(index, "mary@people.example") == []


async def test_known_by_somebody_else(index: Index) -> None:
    """A browser that is known of one account is a new one to another."""
    await give_password(index, "ida")
    eve = await visitor(index, "eve")
    await eve.send("/account/sign-out/")
    code = code_of(index, "ida")
    await eve.sign_in("ida")
    await eve.send(SECOND_FACTOR, {"code": code})
    assert eve.path == HERE


async def test_recovery_code(index: Index) -> None:
    """A recovery code can be passed on like any other, and is confirmed like them."""
    await give_password(index, "kay")
    give_app(index, "kay")
    kay = Visitor(index.port)
    await kay.sign_in("kay")
    await kay.send(SECOND_FACTOR, {"code": give_code(index, "kay")})
    assert kay.path == HERE
    await confirm(index, "kay", kay)
    assert await is_in(kay)


async def test_password_alone(index: Index) -> None:
    """A password without a second factor is as good as before, and a letter tells of it."""
    await give_password(index, "radia")
    index.sql("UPDATE users SET created = now() - interval '1 day' WHERE name = 'radia'")
    await visitor(index, "radia")
    assert [one["letter"] for one in letters_to(index, "radia@people.example")] == ["new-sign-in"]


async def test_no_address(index: Index) -> None:
    """Who cannot be written to is let in as before."""
    await give_password(index, "ruth")
    index.sql("UPDATE emails SET verified = NULL WHERE address = 'ruth@people.example'")
    code = code_of(index, "ruth")
    ruth = Visitor(index.port)
    await ruth.sign_in("ruth")
    await ruth.send(SECOND_FACTOR, {"code": code})
    assert ruth.path == "/account/"
    assert links(index, "ruth") == []


async def test_shown_again(index: Index) -> None:
    """Who is signed in, and shows a code once more, is not asked by mail."""
    hedy = await visitor(index, "hedy")
    index.sql("DELETE FROM browsers")
    code = code_of(index, "hedy")
    await hedy.look(SECOND_FACTOR)
    await hedy.send(SECOND_FACTOR, {"code": code})
    assert hedy.path == "/account/"


# Who is not


@pytest.mark.parametrize("path", ["/account/", "/account/log/", "/manage/", "/account/tokens/new/"])
async def test_nothing_before(index: Index, path: str) -> None:
    """Who waits sees no page of the account, is led to where one waits, and shows no further code."""
    dana = await waiting(index, "dana")
    reply = await dana.look(path, follow=False)
    assert reply["Location"].startswith(HERE)
    assert (await dana.look(SECOND_FACTOR, follow=False))["Location"] == HERE
    await dana.look(HERE)
    token = dana.forms()[f"{HERE}again/"]["csrf_token"]
    form = {"csrf_token": token, "code": code_of(index, "dana")}
    assert (await dana.post(SECOND_FACTOR, form, follow=False))["Location"] == HERE
    assert not await is_in(dana)


async def test_relayed(index: Index) -> None:
    """Who passed on what the victim typed is not let in by the victim's opening the link, nor by pressing."""
    phisher, victim = await waiting(index, "vera"), Visitor(index.port)
    [path] = links(index, "vera")
    reply = await victim.look(path)
    assert reply.status == 200
    assert "Another browser is signing in" in reply.text
    assert "Firefox on Linux" in reply.text
    assert path not in victim.forms()
    token = victim.forms()[f"{path}/deny/"]["csrf_token"]
    assert (await victim.post(path, {"csrf_token": token})).status == 403
    assert not await is_in(victim)
    assert not await is_in(phisher)
    assert [*victim.cookies] == ["cheeseshop-visit"]


async def test_relayed_to_who_is_signed_in(index: Index) -> None:
    """Nor does it help that the victim is signed in, in that browser, to the same account."""
    victim = await visitor(index, "wilma")
    phisher = await waiting(index, "wilma")
    path = links(index, "wilma")[-1]
    assert "Another browser is signing in" in (await victim.look(path)).text
    token = victim.forms()[f"{path}/deny/"]["csrf_token"]
    assert (await victim.post(path, {"csrf_token": token})).status == 403
    assert not await is_in(phisher)
    await victim.look(path)
    await victim.send(f"{path}/deny/")
    assert 'href="/account/password/"' in (victim.seen.text if victim.seen else "")


async def test_another_that_waits(index: Index) -> None:
    """Of two browsers that wait for one account, each is let in by its own letter alone."""
    mine, other = await waiting(index, "edith"), await waiting(index, "edith")
    first, second = links(index, "edith")
    assert "Another browser is signing in" in (await mine.look(second)).text
    await mine.look(first)
    form = mine.forms()[first]
    assert (await mine.post(second, form)).status == 403
    await confirm(index, "edith", other)
    assert (await is_in(mine), await is_in(other)) == (False, True)
    await mine.look(first)
    await mine.send(first)
    assert await is_in(mine)


async def test_another_account(index: Index) -> None:
    """The link of one account lets nobody in to another."""
    mallory, victim = await waiting(index, "mallory"), await waiting(index, "nina")
    own, theirs = links(index, "mallory")[-1], links(index, "nina")[-1]
    await mallory.look(own)
    form = mallory.forms()[own]
    assert (await mallory.post(theirs, form)).status == 403
    assert (await victim.look(own)).status == 200
    assert own not in victim.forms()
    assert (await is_in(mallory), await is_in(victim)) == (False, False)


@pytest.mark.parametrize("how", ["password", "reset", "end-others", "operator"])
async def test_known_no_longer(index: Index, how: str) -> None:
    """Whoever ends all else there is of an account ends that other browsers are known; their own still is."""
    name = f"xenia-{how}"
    await give_password(index, name)
    mine, other = known(index, name), known(index, name)
    await mine.sign_in(name)
    if how == "password":
        await mine.look("/account/password/")
        await mine.send("/account/password/", {"old": PASSWORD, "new": "another battery staple"})
    elif how == "reset":
        await mine.look("/account/reset/")
        await mine.send("/account/reset/", {"email": f"{name}@people.example"})
        path = letters_to(index, f"{name}@people.example")[-1]["about"]["path"]
        await mine.look(path)
        await mine.send(path, {"password": "another battery staple"})
    elif how == "end-others":
        await other.sign_in(name)
        await mine.look("/account/sessions/")
        await mine.send("/account/sessions/end-others/")
    else:
        act = Act(by=OPERATOR, name=name)
        await index.application.members.administration.end_sessions(act)
    code = code_of(index, name)
    await other.sign_in(name, "another battery staple" if how in ("password", "reset") else PASSWORD)
    await other.send(SECOND_FACTOR, {"code": code})
    assert other.path == HERE
    left = index.sql(f"SELECT 1 FROM browsers JOIN users u ON u.id = user_id WHERE u.name = '{name}'")
    assert len(left) == (0 if how == "operator" else 1)


# What the link is good for


async def test_following_confirms_nothing(index: Index) -> None:
    """Whoever follows the link, however often and however, confirms nothing: only the button does."""
    joan = await waiting(index, "olga")
    [path] = links(index, "olga")
    for somebody in (joan, Visitor(index.port)):
        for method in ("GET", "HEAD"):
            cookie = "; ".join(f"{name}={value}" for name, value in somebody.cookies.items())
            assert (await index.ask(path, {"Cookie": cookie or None}, method=method)).status == 200
    assert not await is_in(joan)
    assert (await joan.look(f"{path}/deny/")).status == 405
    await confirm(index, "olga", joan)
    assert await is_in(joan)


async def test_once(index: Index) -> None:
    """The link is good once, and so are all others of the same sign-in."""
    petra = await waiting(index, "petra")
    await petra.send(f"{HERE}again/")
    assert "One more message is on its way." in (petra.seen.text if petra.seen else "")
    first, second = links(index, "petra")
    before, stranger = copied(petra), Visitor(index.port)
    await petra.look(first)
    form = petra.forms()[first]
    await stranger.look(second)
    assert (await petra.send(first)).status == 200
    assert (await stranger.send(f"{second}/deny/")).status == 410
    assert await is_in(petra)
    for somebody in (petra, before, Visitor(index.port)):
        for path in (first, second):
            reply = await somebody.look(path)
            assert reply.status == 410
    assert (await before.post(first, form)).status in (403, 410)
    assert not await is_in(before)


async def test_too_late(index: Index) -> None:
    """After twenty minutes the link is good for nothing, and who waits signs in anew."""
    rosa = await waiting(index, "rosa")
    [path] = links(index, "rosa")
    await rosa.look(path)
    form = rosa.forms()[path]
    CLOCK.ahead = LASTS + timedelta(seconds=1)
    assert (await rosa.look(path)).status == 410
    assert (await rosa.post(path, form, follow=False)).status in (403, 410)
    assert (await rosa.look(HERE, follow=False))["Location"] == SIGN_IN


@pytest.mark.parametrize("secret", ["x" * 43, "x", "again", "A" * 42 + "é"])
async def test_nonsense(index: Index, secret: str) -> None:
    """What was never sent is answered as what is good no longer."""
    reply = await Visitor(index.port).look(f"{HERE}{secret.encode().decode('latin-1')}")
    assert reply.status in (400, 404, 410)


async def test_password_changed(index: Index) -> None:
    """When the password is changed in the meantime, the sign-in is over, and its link is good for nothing."""
    owner = await visitor(index, "tessa")
    thief = await waiting(index, "tessa")
    path = links(index, "tessa")[-1]
    await owner.look("/account/password/")
    reply = await owner.send("/account/password/", {"old": PASSWORD, "new": "another battery staple"})
    assert reply.status == 200, reply.text
    assert (await thief.look(path)).status == 410
    assert (await thief.look(HERE, follow=False))["Location"] == SIGN_IN


async def test_account_disabled(index: Index) -> None:
    """An account that is disabled in the meantime lets nobody in."""
    una = await waiting(index, "una")
    [path] = links(index, "una")
    await una.look(path)
    form = una.forms()[path]
    index.sql("UPDATE users SET is_active = false WHERE name = 'una'")
    CLOCK.ahead = timedelta(seconds=2)
    assert (await una.post(path, form, follow=False)).status in (403, 410)
    assert not await is_in(una)


async def test_not_me(index: Index) -> None:
    """Who says that it is not them ends it, wherever they say so, and is led to another password."""
    phisher, victim = await waiting(index, "viola"), Visitor(index.port)
    [path] = links(index, "viola")
    await victim.look(path)
    reply = await victim.send(f"{path}/deny/")
    assert "Nobody was let in" in reply.text
    assert 'href="/account/reset/"' in reply.text
    assert events(index, "viola")[0] == "account.sign-in-denied"
    assert (await phisher.look(HERE, follow=False))["Location"] == SIGN_IN
    assert (await phisher.look(path)).status == 410
    assert (await victim.look(path)).status == 410


async def test_not_me_here(index: Index) -> None:
    """The browser that waits may say so as well."""
    zoe = await waiting(index, "zoe")
    [path] = links(index, "zoe")
    await zoe.look(path)
    assert "Nobody was let in" in (await zoe.send(f"{path}/deny/")).text
    assert not await is_in(zoe)


async def test_forged(index: Index) -> None:
    """No page of strangers presses the button, and none has letters sent."""
    anna = await waiting(index, "anna")
    [path] = links(index, "anna")
    await anna.look(path)
    for action in (path, f"{path}/deny/"):
        assert (await anna.send(action, {"csrf_token": "0" * 128})).status == 403
        await anna.look(path)
        assert (await anna.send(action, headers={"Origin": "https://evil.example"})).status == 403
        await anna.look(path)
    await anna.look(HERE)
    reply = await anna.send(f"{HERE}again/", headers={"Origin": "https://evil.example"})
    assert reply.status == 403
    assert links(index, "anna") == [path]


async def test_addresses_tell_nothing(index: Index) -> None:
    """The pages of the link say to no other site where one was, and are kept by nobody."""
    bea = await waiting(index, "bea")
    [path] = links(index, "bea")
    for somebody in (bea, Visitor(index.port)):
        reply = await somebody.look(path)
        assert reply["Referrer-Policy"] == "strict-origin"
        assert reply["Cache-Control"] == "private, no-store"


# Waiting


async def test_goes_on(index: Index) -> None:
    """The page that waits leads on once it was confirmed, in any tab, as scripts can tell by HEAD."""
    cleo = await waiting(index, "cleo", wanted="/account/log/")
    assert cleo.path == f"{HERE}?next=/account/log/"
    tab = cleo.path

    async def head() -> Reply:
        cookie = "; ".join(f"{name}={value}" for name, value in cleo.cookies.items())
        return await index.ask(tab, {"Cookie": cookie}, method="HEAD")

    assert (await head()).status == 200
    assert "/account/log/" in (cleo.seen.text if cleo.seen else "")
    await confirm(index, "cleo", cleo)
    assert ((await head()).status, (await head())["Location"]) == (303, "/account/log/")


async def test_somebody_else(index: Index) -> None:
    """Who does not want to wait signs in as somebody else."""
    dora = await waiting(index, "dora")
    reply = await dora.send(f"{SECOND_FACTOR}leave/")
    assert "You are signed out." in reply.text
    assert (await dora.look(links(index, "dora")[-1])).status == 410


async def test_nobody_waits(index: Index) -> None:
    """Who does not wait is led to where they go on: to sign in, to show a code, or to the account."""
    nobody = Visitor(index.port)
    reply = await nobody.look(f"{HERE}?next=/manage/", follow=False)
    assert reply["Location"] == f"{SIGN_IN}?next=/manage/"
    ada = await visitor(index, "frida")
    assert (await ada.look(HERE, follow=False))["Location"] == "/account/"
    give_app(index, "frida")
    half = Visitor(index.port)
    await half.sign_in("frida")
    assert (await half.look(HERE, follow=False))["Location"] == SECOND_FACTOR
    token = half.forms()[SECOND_FACTOR]["csrf_token"] if half.seen and half.forms() else ""
    assert (await half.post(f"{HERE}again/", {"csrf_token": token})).status in (401, 403)


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example", "x"])
async def test_nowhere_else(index: Index, elsewhere: str) -> None:
    """However forms are filled in, one is led to a page of this index."""
    await give_password(index, "gerda")
    gerda, code = Visitor(index.port), code_of(index, "gerda")
    await gerda.sign_in("gerda")
    await gerda.send(SECOND_FACTOR, {"code": code, "next": elsewhere})
    assert gerda.path == HERE
    reply = await gerda.send(f"{HERE}again/", {"next": elsewhere}, follow=False)
    assert reply["Location"] == f"{HERE}?done=sent"
    reply = await confirm(index, "gerda", gerda, follow=False)
    assert reply["Location"] == "/account/"


async def test_throttled(new_index: Index) -> None:
    """Five letters in an hour are all that anybody is sent, whoever asks; what was sent stays good."""
    helen = await waiting(new_index, "helen")
    for _ in range(4):
        await helen.look(HERE)
        assert (await helen.send(f"{HERE}again/")).status == 200
    await helen.look(HERE)
    reply = await helen.send(f"{HERE}again/")
    assert reply.status == 429
    assert int(reply["Retry-After"]) > 0
    other = Visitor(new_index.port)
    await other.sign_in("helen")
    reply = await other.send(SECOND_FACTOR, {"code": code_of(new_index, "helen")})
    assert reply.status == 429
    assert len(links(new_index, "helen")) == 5
    await confirm(new_index, "helen", helen)
    assert await is_in(helen)
