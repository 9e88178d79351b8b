"""An account at a glance, its sessions and its security log; and what is told of new browsers."""

from __future__ import annotations

import pytest

from pypi.accounts.audit import Kind
from pypi.accounts.log_words import EVENTS, in_words, of_account
from pypi.db.queries.audit import AuditRow
from tests.support.confirming import confirm
from tests.support.factors import give_app, give_code
from tests.support.index import Index
from tests.support.managing import letters_to
from tests.support.visitor import Visitor, give_password, visitor

SETTINGS = {"limits__factor": 0}

LOG = "/account/log/"
SESSIONS = "/account/sessions/"

OF_IDA = "SELECT 1 FROM audit JOIN users u ON u.id = user_id WHERE u.name = 'ida'"


def text_of(somebody: Visitor) -> str:
    assert somebody.seen is not None
    return somebody.seen.text


async def age(index: Index, name: str) -> None:
    """Let an account be a day old."""
    await give_password(index, name)
    index.sql(f"UPDATE users SET created = now() - interval '1 day' WHERE name = '{name}'")


async def test_glance(index: Index) -> None:
    """What there is of an account stands on one page, with what is missing for its safety."""
    grace = await visitor(index, "grace")
    page = text_of(grace)
    for told in ("<h1>grace</h1>", "grace@people.example", "here only", "--username grace"):
        assert told in page
    assert "Your password alone opens this account." in page
    app = give_app(index, "grace")
    page = (await grace.look("/account/")).text
    assert "You have no recovery codes." in page
    assert "an authenticator app" in page
    assert "--username __token__" in page
    give_code(index, "grace")
    page = (await grace.look("/account/")).text
    assert "You have no recovery codes." not in page
    other = Visitor(index.port)
    await other.sign_in("grace")
    assert "here only" in (await grace.look("/account/")).text
    await other.send("/account/second-factor/", {"code": app.now()})
    assert "here only" in (await grace.look("/account/")).text
    await confirm(index, "grace", other)
    assert "in 2 browsers" in (await grace.look("/account/")).text


async def test_without_password(index: Index) -> None:
    """Who has no password is not told that one opens the account, and publishes with a token."""
    lynn = await visitor(index, "lynn")
    index.sql("UPDATE users SET password_hash = NULL WHERE name = 'lynn'")
    index.sql("UPDATE emails SET verified = NULL WHERE address = 'lynn@people.example'")
    page = (await lynn.look("/account/")).text
    assert "Your password alone" not in page
    assert "--username __token__" in page
    assert "No letters reach you." in page


async def test_sessions(index: Index) -> None:
    """Sessions are listed with what they are of, and end: another one's, or all but this."""
    joan, phone, work = [await visitor(index, "joan") for _ in range(3)]
    page = (await joan.look(SESSIONS)).text
    assert page.count('class="card holding"') == 3
    assert page.count("this one") == 1
    ends = [path for path in joan.forms() if path.endswith("/end/")]
    assert len(ends) == 2
    reply = await joan.send(ends[0])
    assert "That session is over." in reply.text
    left = [one for one in (phone, work) if (await one.look("/account/", follow=False)).status == 200]
    assert len(left) == 1
    assert "nowhere else" in (await joan.send(f"{SESSIONS}end-others/")).text
    assert (await left[0].look("/account/", follow=False)).status == 303
    assert (await joan.look("/account/", follow=False)).status == 200


async def test_sessions_of_others(index: Index) -> None:
    """Nobody ends a session of somebody else, by whatever number."""
    kay, mallory = await visitor(index, "kay"), await visitor(index, "mallory")
    [(number,)] = index.sql(
        "SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.name = 'kay'"
    )
    token = mallory.forms()["/account/sign-out/"]["csrf_token"]
    for tried in (str(number), "0", "x", "9" * 30, "%D9%A3"):
        assert (await mallory.post(f"{SESSIONS}{tried}/end/", {"csrf_token": token})).status == 404
    assert (await kay.look("/account/", follow=False)).status == 200


async def test_log(index: Index) -> None:
    """The log tells in words what happened to one's own account, from where, and nothing of others'."""
    await give_password(index, "ida")
    somebody = Visitor(index.port)
    await somebody.sign_in("ida", "wrong")
    ida = await visitor(index, "ida")
    page = (await ida.look(LOG)).text
    assert "You signed in with your password." in page
    assert "A sign-in failed: the password was wrong." in page
    assert "from 127.0.0.1" in page
    assert page.count("event-log__words") == len(index.sql(OF_IDA))


async def test_log_pages(index: Index) -> None:
    """A long log is read page by page, to its end."""
    mary = await visitor(index, "mary")
    index.sql(
        "INSERT INTO audit (at, user_id, actor, event, about) "
        "SELECT now() - n * interval '1 hour', id, 'eve', 'account.token-added', "
        """('{"description": "number ' || n || '"}')::jsonb """
        "FROM users, generate_series(1, 120) n WHERE name = 'mary' ORDER BY n"
    )
    seen, path = [], LOG
    while path:
        page = (await mary.look(path)).text
        seen.append(page.count("event-log__words"))
        path = page.partition(f'href="{LOG}?before=')[2].partition('"')[0]
        path = f"{LOG}?before={path}" if path else ""
    [(lines,)] = index.sql("SELECT count(*) FROM audit JOIN users u ON u.id = user_id WHERE u.name = 'mary'")
    assert seen == [50, 50, lines - 100]
    assert "by eve" in page
    for strange in ("x", "9" * 30, "-1", ""):
        assert (await mary.look(f"{LOG}?before={strange}")).status == 200


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.event.startswith("account.")])
def test_every_event_has_words(kind: Kind) -> None:
    """Whatever happens to accounts is told in a sentence, with all that belongs into it."""
    about = dict.fromkeys(kind.about, "something")
    row = AuditRow(1, None, 1, "ada", "", kind.event, None, about)  # type: ignore[arg-type]
    assert kind.event in EVENTS
    for words in (in_words(row, "ada").words, of_account(row, "eve").words):
        assert "…" not in words
        assert "{" not in words
    assert not {"you", "your"} & set(of_account(row, "eve").words.lower().split())


async def test_new_browser(index: Index) -> None:
    """Who signs in with a browser not seen before is written to; with one that was, they are not."""
    await age(index, "radia")
    known = await visitor(index, "radia")
    [letter] = letters_to(index, "radia@people.example")
    assert letter["letter"] == "new-sign-in"
    assert letter["about"] == {"user": "radia", "address": "127.0.0.1", "agent": "A browser"}
    await known.look("/account/")
    await known.send("/account/sign-out/")
    assert "cheeseshop-browser" in known.cookies
    await known.sign_in("radia")
    assert len(letters_to(index, "radia@people.example")) == 1
    await visitor(index, "radia")
    assert len(letters_to(index, "radia@people.example")) == 2


async def test_browser_of_two(index: Index) -> None:
    """A browser is known for each account apart, and nothing says that two share one."""
    for name in ("sophie", "emmy"):
        await age(index, name)
    shared = await visitor(index, "sophie")
    kept = shared.cookies["cheeseshop-browser"]
    await shared.look("/account/")
    await shared.send("/account/sign-out/")
    await shared.sign_in("emmy")
    assert shared.cookies["cheeseshop-browser"] == kept
    assert len(letters_to(index, "emmy@people.example")) == 1
    digests = index.sql(
        "SELECT digest FROM browsers b JOIN users u ON u.id = b.user_id WHERE name IN ('sophie', 'emmy')"
    )
    assert len({bytes(one) for (one,) in digests}) == 2


async def test_half_a_sign_in(index: Index) -> None:
    """A password without the second factor makes no browser known, and nobody is told; all of it does."""
    await age(index, "barbara")
    app = give_app(index, "barbara")
    barbara = Visitor(index.port)
    await barbara.sign_in("barbara")
    assert letters_to(index, "barbara@people.example") == []
    assert "cheeseshop-browser" not in barbara.cookies
    await barbara.send("/account/second-factor/", {"code": app.now()})
    assert "cheeseshop-browser" not in barbara.cookies
    await confirm(index, "barbara", barbara)
    assert "cheeseshop-browser" in barbara.cookies
    assert [one["letter"] for one in letters_to(index, "barbara@people.example")] == ["confirm-sign-in"]


@pytest.mark.parametrize("path", ["/account/x.css", "/account/log/x.css", "/account/sessions/x.js"])
async def test_cache_deception(index: Index, path: str) -> None:
    """What looks like a file below a page of one person is none, and nobody keeps the answer."""
    grace = await visitor(index, "rozsa")
    reply = await grace.look(path)
    assert reply.status == 404
    assert "rozsa" not in reply.text
    assert "no-store" in reply["Cache-Control"]
