"""The tokens of an account: listed, made as narrow as wanted, revoked by their owner or by who finds them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pypi.accounts.issued import MOST
from tests.support.archives import wheel, wheel_filename
from tests.support.client import Reply
from tests.support.index import Index, running, with_token
from tests.support.managing import letters_to
from tests.support.visitor import PASSWORD, Fields, Visitor, visitor
from tests.web.pages.test_users import publish

SETTINGS = {"limits__factor": 0}

NEW = "/account/tokens/new/"
LIST = "/account/tokens/"
WISH = {"description": "laptop", "project": "", "reach": "write", "lifetime": "365", "again": PASSWORD}

TOKEN = re.compile(r"cheeseshop-[0-9a-f]{16}-[0-9a-f]{64}")


async def made(somebody: Visitor, **wish: str) -> str:
    """The token that the answer to the form shows."""
    await somebody.look(NEW)
    reply = await somebody.send(NEW, {**WISH, **wish})
    assert reply.status == 200, reply.text
    [token] = set(TOKEN.findall(reply.text))
    return str(token)


def events(index: Index, name: str) -> list[tuple[Any, ...]]:
    return index.sql(
        "SELECT event, actor, about FROM audit JOIN users u ON u.id = user_id "
        f"WHERE u.name = '{name}' AND event LIKE 'account.token%' AND actor <> 'operator' ORDER BY audit.id"
    )


async def lets_in(index: Index, token: str) -> bool:
    reply = await index.ask("/legacy/", {"Authorization": with_token(token)}, method="POST")
    return reply.status not in (401, 403)


async def report(index: Index, body: Any, **headers: str) -> Reply:
    sent = {"Content-Type": "application/json", **headers}
    return await index.ask("/api/tokens/revoke", sent, method="POST", body=json.dumps(body).encode())


async def test_once(index: Index) -> None:
    """A token is shown in the answer to its form, with the lines to paste, and nowhere after."""
    grace = await visitor(index, "grace")
    token = await made(grace)
    assert grace.seen is not None
    assert grace.seen["Cache-Control"] == "private, no-store"
    assert "laptop" in grace.seen.text
    for line in ("~/.pypirc", "UV_PUBLISH_TOKEN", "secrets.CHEESESHOP_TOKEN", "~/.netrc"):
        assert line in grace.seen.text
    assert token not in grace.path
    assert not any(token in value for value in grace.cookies.values())
    assert await lets_in(index, token)
    page = await grace.look(LIST)
    assert "laptop" in page.text
    assert "publish and manage all your projects" in page.text
    assert token.split("-")[2] not in page.text


async def test_told(index: Index) -> None:
    """Of a new token the security log and a letter tell, and neither holds it."""
    hedy = await visitor(index, "hedy")
    token = await made(hedy, description="nightly", reach="read", lifetime="7")
    about = {"token": token.split("-")[1], "description": "nightly", "read_only": True}
    assert events(index, "hedy") == [("account.token-added", "hedy", about)]
    [letter] = letters_to(index, "hedy@people.example")
    assert letter["letter"] == "token-made"
    assert letter["about"] == {"user": "hedy", "token": "nightly", "scope": "read all your projects"}
    secret = token.split("-")[2]
    for table, rows in index.state().tables.items():
        assert not any(secret in row for row in rows), table
    [(days,)] = index.sql(f"SELECT expires - created FROM tokens WHERE id = '{token.split('-')[1]}'")
    assert days.days == 7


async def test_one_project(index: Index, name: str) -> None:
    """A token may be for one project, which is one of one's own; it uploads to no other."""
    joan = await visitor(index, "joan")
    await publish(index, name, by="joan")
    await publish(index, f"{name}-other", by="joan")
    token = await made(joan, project=name)
    assert f"publish and manage {name}" in (await joan.look(LIST)).text
    for project, status in ((name, 200), (f"{name}-other", 403)):
        reply = await index.upload(
            wheel(project, "2.0"),
            wheel_filename(project, "2.0"),
            name=project,
            version="2.0",
            auth=with_token(token),
        )
        assert reply.status == status, reply.text


async def test_project_of_others(index: Index, name: str) -> None:
    """A project of others and one that is not there are told apart by nothing, and there is no token."""
    await publish(index, name)
    mallory = await visitor(index, "mallory")
    told = set()
    for project in (name, "never-was"):
        await mallory.look(NEW)
        reply = await mallory.send(NEW, {**WISH, "project": project})
        assert reply.status == 400
        told.add(reply.text.partition("Not a valid choice")[1])
    assert told == {"Not a valid choice"}
    assert events(index, "mallory") == []
    offered = (await mallory.look(f"{NEW}?project={name}")).text
    assert name not in offered.partition("<main")[2]


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"again": "wrong"}, 403, "This is not your password."),
        ({"again": ""}, 403, "This is not your password."),
        ({"description": ""}, 400, "Give it a name."),
        ({"description": "x" * 101}, 400, "longer than 100"),
        ({"reach": "administer"}, 400, "Not a valid choice"),
        ({"lifetime": "100000"}, 400, "Not a valid choice"),
    ],
)
async def test_wrong(index: Index, wrong: Fields, status: int, says: str) -> None:
    """What is not right is said at the form, and there is no token; a browser left open makes none."""
    name = f"wrong{abs(hash(str(wrong))) % 10**8}"
    somebody = await visitor(index, name)
    await somebody.look(NEW)
    reply = await somebody.send(NEW, {**WISH, **wrong})
    assert (reply.status, says in reply.text) == (status, True)
    assert "<title>Error: " in reply.text
    assert TOKEN.search(reply.text) is None
    assert [kind for kind, *_ in events(index, name)] == []


async def test_strange_names(index: Index) -> None:
    """A name is one line of what can be shown, whatever was typed; what is none of ours is not there."""
    zoe = await visitor(index, "zoe")
    await made(zoe, description=" a\0b\r\nc\x1b[31m \N{RIGHT-TO-LEFT OVERRIDE}d ")
    assert index.sql(
        "SELECT description FROM tokens JOIN users u ON u.id = user_id AND u.name = 'zoe' "
        "WHERE description <> ''"
    ) == [("a b c [31m d",)]
    await zoe.look(NEW)
    assert (await zoe.send(NEW, {**WISH, "description": "\0 \r\n"})).status == 400
    form = {"csrf_token": zoe.forms()[NEW]["csrf_token"]}
    for number in ("%00", "%F0%9F%A7%80", "x" * 1000):
        assert (await zoe.post(f"/account/tokens/{number}/revoke/", form)).status in (400, 404), number


async def test_bound(index: Index) -> None:
    """An account has so many tokens, and no more; a revoked one makes room."""
    many = await visitor(index, "many")
    token = await made(many)
    index.sql(
        "INSERT INTO tokens (id, user_id, secret_sha256, created) "
        "SELECT lpad(to_hex(n), 16, '0'), u.id, sha256('x'), now() "
        f"FROM users u, generate_series(1, {MOST - 2}) AS n WHERE u.name = 'many' RETURNING id"
    )
    await many.look(NEW)
    reply = await many.send(NEW, WISH)
    assert (reply.status, "at most 100 tokens" in reply.text) == (409, True)
    await many.look(LIST)
    await many.send(f"/account/tokens/{token.split('-')[1]}/revoke/")
    await made(many)


async def test_revoked(index: Index) -> None:
    """A token that its owner revokes is refused from then on, and gone from the list."""
    katherine = await visitor(index, "katherine")
    token = await made(katherine, description="old laptop")
    number = token.split("-")[1]
    await katherine.look(LIST)
    reply = await katherine.send(f"/account/tokens/{number}/revoke/")
    assert "The token is revoked" in reply.text
    assert number not in reply.text
    assert not await lets_in(index, token)
    assert events(index, "katherine")[1:] == [
        (
            "account.token-revoked",
            "katherine",
            {"token": number, "description": "old laptop", "reason": "owner"},
        )
    ]


async def test_token_of_another(index: Index) -> None:
    """The token of somebody else and one that is not there are told apart by nothing, and it stays good."""
    owner, mallory = await visitor(index, "owner"), await visitor(index, "mallory")
    token = await made(owner)
    await mallory.look(NEW)
    form = {"csrf_token": mallory.forms()[NEW]["csrf_token"]}
    pages = set()
    for number in (token.split("-")[1], "0" * 16, "nothing-of-theirs"):
        reply = await mallory.post(f"/account/tokens/{number}/revoke/", form)
        assert reply.status == 404
        pages.add(re.sub(r'value="[0-9a-f]{128}"', "", reply.text).replace(number, ""))
    assert len(pages) == 1
    assert await lets_in(index, token)
    assert mallory.seen is not None
    assert token.split("-")[1] not in (await mallory.look(LIST)).text


async def test_last_used(index: Index) -> None:
    """When a token was used last is written down by a job, once a minute at the most, whatever it was for."""
    lise = await visitor(index, "lise")
    token = await made(lise)
    number = token.split("-")[1]
    assert (await lise.look(LIST)).text.count("<dd>never</dd>") >= 1
    for _ in range(3):
        await lets_in(index, token)
    keep = index.application.members.last_used
    await keep.keep()
    [(first,)] = index.sql(f"SELECT last_used FROM tokens WHERE id = '{number}'")
    assert first is not None
    await lets_in(index, token)
    await keep.keep()
    assert index.sql(f"SELECT last_used FROM tokens WHERE id = '{number}'") == [(first,)]


@pytest.mark.parametrize("shape", ["token", "tokens", "list"])
async def test_reported(index: Index, shape: str) -> None:
    """Whoever shows a token has it revoked; its owner is told, by letter and by the security log."""
    name = f"leaky-{shape}"
    owner = await visitor(index, name)
    token = await made(owner, description="in a repository")
    entry = {"token": token, "type": "cheeseshop", "url": "https://code.example/leak"}
    body = {"token": {"token": token}, "tokens": {"tokens": [token]}, "list": [entry]}[shape]
    reply = await report(index, body)
    assert (reply.status, json.loads(reply.body)) == (200, {"received": 1})
    assert reply["Cache-Control"] == "private, no-store"
    assert not await lets_in(index, token)
    number = token.split("-")[1]
    about = {"token": number, "description": "in a repository", "reason": "reported"}
    assert events(index, name)[1:] == [("account.token-revoked", "", about)]
    page = (await owner.look("/account/log/")).text
    assert "The token “in a repository” was revoked by somebody who found it" in page
    letter = letters_to(index, f"{name}@people.example")[-1]
    assert (letter["letter"], letter["about"]["token"]) == ("token-reported", "in a repository")
    before = index.state()
    again = await report(index, body)
    assert (again.status, again.body) == (reply.status, reply.body)
    assert not index.state() - before, "once is enough"


async def test_many_reported(index: Index) -> None:
    """Of several tokens that are reported at once, each owner gets one letter."""
    first, second = await visitor(index, "first"), await visitor(index, "second")
    wishes = ((first, "laptop"), (first, "desk"), (second, "bench"))
    tokens = [await made(who, description=description) for who, description in wishes]
    assert json.loads((await report(index, {"tokens": tokens})).body) == {"received": 3}
    assert not any([await lets_in(index, token) for token in tokens])
    told = {
        name: [
            one["about"]["token"]
            for one in letters_to(index, f"{name}@people.example")
            if one["letter"] == "token-reported"
        ]
        for name in ("first", "second")
    }
    assert told["second"] == ["bench"]
    assert [sorted(one.split(", ")) for one in told["first"]] == [["desk", "laptop"]]


async def test_reported_without_proof(index: Index) -> None:
    """Nothing but the whole token revokes it, and every answer is the same."""
    owner = await visitor(index, "careful")
    token = await made(owner)
    prefix, number, secret = token.split("-")
    wrong = [
        f"{prefix}-{number}-{'0' * 64}",
        f"{prefix}-{number}-{secret[:-1]}",
        f"{prefix}-{'0' * 16}-{secret}",
        token.upper(),
        f"{token}0",
        "",
        "\0",
        "x" * 10_000,
    ]
    before = index.state()
    replies = {(await report(index, {"token": text})).body for text in wrong}
    assert len(replies) == 1
    assert not index.state() - before
    assert json.loads((await report(index, {"tokens": [*wrong, token]})).body) == {"received": len(wrong) + 1}
    assert not await lets_in(index, token)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (b"[]", 400),
        (b'{"token": 1}', 400),
        (b'{"tokens": "x"}', 400),
        (b'[{"type": "x"}]', 400),
        (b'["x"]', 400),
        (b"{", 400),
        (json.dumps({"tokens": ["x"] * 101}).encode(), 400),
        (json.dumps({"tokens": ["x" * 1000] * 66}).encode(), 413),
    ],
)
async def test_no_report(index: Index, body: bytes, status: int) -> None:
    """What is no report, or too large a one, is refused in JSON."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    reply = await index.ask("/api/tokens/revoke", headers, method="POST", body=body)
    assert reply.status == status
    assert set(json.loads(reply.body)) >= {"message", "code"}


async def test_never_in_addresses(index: Index) -> None:
    """A token in an address lets nobody in."""
    token = await made(await visitor(index, "query"))
    for query in (f"token={token}", f"access_token={token}", f"password={token}&username=__token__"):
        assert (await index.ask(f"/legacy/?{query}", method="POST")).status == 401


async def test_a_while_after_signing_in(index: Index) -> None:
    """Who has neither password nor second factor has to have signed in just now."""
    pia = await visitor(index, "pia")
    index.sql("UPDATE users SET password_hash = NULL WHERE name = 'pia' RETURNING id")
    await made(pia)
    index.sql("UPDATE sessions SET created = now() - interval '16 minutes' RETURNING id")
    assert "It is a while since you signed in." in (await pia.look(NEW)).text
    reply = await pia.send(NEW, WISH)
    assert (reply.status, "sign in again" in reply.text) == (403, True)
    assert len(events(index, "pia")) == 1


async def test_wrong_password_is_noted(index: Index) -> None:
    """Whoever sits at a browser that was left open and guesses is in the security log."""
    rosa = await visitor(index, "rosa")
    await rosa.look(NEW)
    await rosa.send(NEW, {**WISH, "again": "guess"})
    [(about,)] = index.sql(
        "SELECT about FROM audit JOIN users u ON u.id = user_id "
        "WHERE u.name = 'rosa' AND event = 'account.sign-in-failed'"
    )
    assert about == {"reason": "password asked for again"}


async def test_reports_are_counted(new_index: Index) -> None:
    """Reports from one address are bounded, those of others go on."""
    assert (await report(new_index, {"token": "x"})).status == 200
    new_index.sql("UPDATE throttles SET tokens = 0.5 WHERE key LIKE 'report/address/%' RETURNING key")
    reply = await report(new_index, {"token": "x"})
    assert (reply.status, int(reply["Retry-After"]) > 0) == (429, True)


async def test_where_nobody_reads(database_url: str, tmp_path: Path) -> None:
    """On a private index, too, whoever finds a token revokes it without an account."""
    async with running(database_url, tmp_path, access__reads="private") as index:
        token = await index.application.accounts.add_token("ada")
        assert (await report(index, {"token": token})).status == 200
        assert not await lets_in(index, token)


async def test_idle(index: Index) -> None:
    """One is reminded of a token that was not used for half a year, or never since it was made."""
    dora = await visitor(index, "dora")
    first, second, third = [(await made(dora)).split("-")[1] for _ in range(3)]
    long_ago = "now() - interval '200 days'"
    index.sql(f"UPDATE tokens SET created = {long_ago} WHERE id IN ('{first}', '{second}') RETURNING id")
    index.sql(f"UPDATE tokens SET last_used = now() WHERE id = '{second}' RETURNING id")
    assert (await dora.look(LIST)).text.count("not used for half a year") == 1
    index.sql(f"UPDATE tokens SET last_used = {long_ago} WHERE id = '{third}' RETURNING id")
    assert (await dora.look(LIST)).text.count("not used for half a year") == 2


async def test_expired_and_of_no_use(index: Index, name: str) -> None:
    """A token that has expired is told as such, and so is one for a project that one has left."""
    vera = await visitor(index, "vera")
    await publish(index, name, by="vera")
    first, second = await made(vera, description="first"), await made(vera, project=name)
    index.sql(f"UPDATE tokens SET expires = now() WHERE id = '{first.split('-')[1]}' RETURNING id")
    index.sql("DELETE FROM roles USING users u WHERE u.id = user_id AND u.name = 'vera' RETURNING role")
    page = await vera.look(LIST)
    assert page.text.count("expired") == 1
    assert page.text.count("of no use: you have no role there") == 1
    assert not await lets_in(index, first)
    assert second.split("-")[1] in page.text
