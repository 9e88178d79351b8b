"""Every act by the API: what it does, what it refuses, and that it does nothing else."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import closing

import psycopg2
import pytest
import pytest_twisted

from pypi.domain.permissions import OPERATOR
from pypi.front import routes
from tests.support import client
from tests.support.archives import wheel_filename
from tests.support.client import Reply
from tests.support.index import Index, basic, eventually, with_token
from tests.support.managing import check, letters_to
from tests.web.api.calls import ACTS, body_of, call, people, project, scoped

SETTINGS = {"limits__factor": 0}


@pytest_twisted.async_yield_fixture(scope="module")
async def peopled(index: Index) -> AsyncIterator[Index]:
    """An index with bob and eve."""
    await people(index)
    yield index
    check(index)


def told(reply: Reply) -> tuple[int, bool, bool]:
    """Status, whether anything changed, and whether the journal tells of it."""
    document = reply.json()
    assert reply["Content-Type"] == "application/json"
    assert reply["Cache-Control"] == "private, no-store"
    assert list(document) == ["changed", "serial"], reply.text
    return reply.status, document["changed"], document["serial"] is not None


def why(reply: Reply) -> tuple[int, str]:
    """Status and field of a refusal, which has a sentence."""
    document = reply.json()
    assert reply["Content-Type"] == "application/json"
    assert document["message"].endswith("."), document
    assert document["code"].startswith(f"{reply.status} ")
    return reply.status, document.get("field", "")


DONE, SAME, QUIET = (200, True, True), (200, False, False), (200, True, False)


def test_all_acts_are_tried() -> None:
    """There is no act beside those that these tests know."""
    found = {
        route.path.rpartition("/")[2]
        for route in routes()
        if route.path.startswith("/api/projects/") and route.writes
    }
    assert found == set(ACTS)


async def test_yanking(peopled: Index, name: str) -> None:
    """Several releases are yanked at once, or none; once more nothing changes; and it can be taken back."""
    await project(peopled, name, "1.0", "1.1", "2.0")
    yanked = {"versions": ["1.0", "v1.1.0"], "reason": "no good"}
    assert told(await call(peopled, name.upper(), "yank", yanked)) == DONE
    assert told(await call(peopled, name, "yank", yanked)) == SAME
    missing = await call(peopled, name, "yank", {"versions": ["2.0", "9"]})
    assert missing.status == 404
    page = await peopled.ask(f"/simple/{name}/", {"Accept": "application/vnd.pypi.simple.v1+json"})
    shown = {one["filename"].split("-")[1]: one["yanked"] for one in page.json()["files"]}
    assert shown == {"1.0": "no good", "1.1": "no good", "2.0": False}
    assert told(await call(peopled, name, "unyank", {"versions": ["1.0"]})) == DONE
    assert told(await call(peopled, name, "unyank", {"versions": ["1.0"]})) == SAME
    lines = peopled.sql(f"SELECT event, actor, address FROM audit WHERE normalized = '{name}' ORDER BY id")
    assert [line for line in lines if "yanked" in line[0]] == [
        ("project.release-yanked", "ada", "127.0.0.1"),
        ("project.release-yanked", "ada", "127.0.0.1"),
        ("project.release-unyanked", "ada", "127.0.0.1"),
    ]


async def test_deleting(peopled: Index, name: str) -> None:
    """A file, a release and a project are deleted by who names the project twice, and are gone then."""
    await project(peopled, name, "1.0", "1.1", "2.0")
    filename = wheel_filename(name, "1.0")
    for verb, body in (
        ("delete-file", {"filename": filename}),
        ("delete-release", {"version": "1.1"}),
        ("delete", {}),
    ):
        before = peopled.state()
        assert why(await call(peopled, name, verb, body)) == (400, "confirm")
        assert why(await call(peopled, name, verb, body | {"confirm": name + "x"})) == (400, "confirm")
        assert not peopled.state() - before
        assert told(await call(peopled, name, verb, body | {"confirm": name.title()})) == DONE
        assert why(await call(peopled, name, verb, body | {"confirm": name})) == (404, "")
    assert (await peopled.ask(f"/simple/{name}/")).status == 404


async def test_statuses(peopled: Index, name: str) -> None:
    """A project is archived, deprecated in favour of another, and active again, each once."""
    await project(peopled, name)
    await project(peopled, f"{name}-new")
    say = {"reason": "use the other", "successor": f"{name}_New"}
    for verb, body in (("archive", {"reason": "done"}), ("deprecate", say), ("activate", None)):
        assert told(await call(peopled, name, verb, body)) == DONE
        assert told(await call(peopled, name, verb, body)) == SAME
    assert told(await call(peopled, name, "archive", None)) == DONE
    assert why(await call(peopled, name, "deprecate", {"successor": name})) == (400, "successor")
    assert why(await call(peopled, name, "deprecate", {"successor": "a/b"})) == (400, "successor")
    assert why(await call(peopled, name, "archive", {"reason": "a\u200bb"})) == (400, "reason")


async def test_quarantine(peopled: Index, name: str) -> None:
    """What the operator looks into is his to change: owners are told so, and nothing becomes of it."""
    await project(peopled, name, "1.0", "1.1")
    quarantines = peopled.application.quarantines
    await quarantines.begin(OPERATOR, name, "1.0")
    assert why(await call(peopled, name, "yank", {"versions": ["1.1", "1.0"]})) == (409, "")
    assert told(await call(peopled, name, "yank", {"versions": ["1.1"]})) == DONE
    assert why(await call(peopled, name, "delete", {"confirm": name})) == (409, "")
    await quarantines.begin(OPERATOR, name)
    for verb in ("archive", "yank", "unyank", "rename", "delete", "delete-release", "delete-file"):
        assert why(await call(peopled, name, verb, body_of(verb, name))) == (409, ""), verb
    await quarantines.clear(OPERATOR, name)
    await quarantines.clear(OPERATOR, name, "1.0")
    assert told(await call(peopled, name, "archive", None)) == DONE


async def test_renaming(peopled: Index, name: str) -> None:
    """A project is called otherwise, and nothing is done to it by its old name; some names it cannot have."""
    await project(peopled, name)
    await project(peopled, f"{name}-taken")
    assert why(await call(peopled, name, "rename", {"new_name": "a b"})) == (400, "new_name")
    assert why(await call(peopled, name, "rename", {"new_name": "json"})) == (400, "new_name")
    assert why(await call(peopled, name, "rename", {"new_name": f"{name}-taken"})) == (409, "")
    assert told(await call(peopled, name, "rename", {"new_name": f"{name}-better"})) == DONE
    assert told(await call(peopled, f"{name}-better", "rename", {"new_name": f"{name}-better"})) == SAME
    assert why(await call(peopled, name, "archive", None)) == (404, "")


async def test_reads(peopled: Index, name: str) -> None:
    """Who reads a project is said, and holds at once: strangers are told that there is none."""
    await project(peopled, name)
    assert told(await call(peopled, name, "set-reads", {"reads": "roles"})) == DONE
    assert told(await call(peopled, name, "set-reads", {"reads": "roles"})) == SAME
    assert (await peopled.ask(f"/simple/{name}/")).status == 404
    assert why(await call(peopled, name, "set-reads", {"reads": "nobody"})) == (400, "reads")
    for verb in ACTS:
        reply = await call(peopled, name, verb, body_of(verb, name), auth=peopled.auth("eve"))
        nothing = await call(peopled, "nothing", verb, body_of(verb, name), auth=peopled.auth("eve"))
        if verb not in ("delete", "delete-release", "delete-file"):
            assert reply.text == nothing.text.replace("nothing", name), verb
        assert reply.status == 404, verb
    for what in ("people", "history"):
        asked = await peopled.ask(f"/api/projects/{name}/{what}", {"Authorization": peopled.auth("eve")})
        assert asked.status == 404


async def test_invitations(peopled: Index, name: str) -> None:
    """A role is offered by mail, and taken back; who has it needs no offer, and who has another gets none."""
    await project(peopled, name)
    offer = {"user": "EVE", "role": "Maintainer"}
    letters = len(letters_to(peopled, "eve@people.example"))
    assert told(await call(peopled, name, "invite", offer)) == QUIET
    assert len(letters_to(peopled, "eve@people.example")) == letters + 1
    assert told(await call(peopled, name, "withdraw", {"user": "eve"})) == QUIET
    assert told(await call(peopled, name, "withdraw", {"user": "eve"})) == SAME
    assert told(await call(peopled, name, "invite", {"user": "bob", "role": "Maintainer"})) == SAME
    assert why(await call(peopled, name, "invite", {"user": "bob", "role": "Owner"})) == (409, "")
    assert why(await call(peopled, name, "invite", {"user": "nobody", "role": "Owner"})) == (404, "")
    assert why(await call(peopled, name, "invite", {"user": "eve", "role": "owner"})) == (400, "role")
    assert told(await call(peopled, name, "transfer", {"user": "eve"})) == QUIET
    assert why(await call(peopled, name, "transfer", {"user": "ada"})) == (409, "")


async def test_roles(peopled: Index, name: str) -> None:
    """A role is changed and taken away, once; but there is always an owner."""
    await project(peopled, name)
    assert told(await call(peopled, name, "change-role", {"user": "bob", "role": "Reader"})) == DONE
    assert told(await call(peopled, name, "change-role", {"user": "bob", "role": "Reader"})) == SAME
    assert why(await call(peopled, name, "change-role", {"user": "eve", "role": "Reader"})) == (404, "")
    assert why(await call(peopled, name, "change-role", {"user": "ada", "role": "Reader"})) == (409, "")
    assert why(await call(peopled, name, "remove-role", {"user": "ada"})) == (409, "")
    assert told(await call(peopled, name, "remove-role", {"user": "bob"})) == DONE
    assert told(await call(peopled, name, "remove-role", {"user": "bob"})) == SAME


async def test_what_is_told(peopled: Index, name: str) -> None:
    """Owners and maintainers read which projects they have, who is what to them, and what happened."""
    await project(peopled, name)
    await call(peopled, name, "invite", {"user": "eve", "role": "Reader"})
    await call(peopled, name, "yank", {"versions": ["1.0"], "reason": "why not"})
    for user, role in (("ada", "Owner"), ("bob", "Maintainer")):
        auth = {"Authorization": peopled.auth(user)}
        mine = (await peopled.ask("/api/projects?page=1", auth)).json()
        [own] = [one for one in mine["projects"] if one["name"] == name]
        assert (own["role"], own["files"], own["version"], own["reads"]) == (role, 1, "1.0", "public")
        everyone = (await peopled.ask(f"/api/projects/{name}/people", auth)).json()
        assert [(one["user"], one["role"]) for one in everyone["members"]] == [
            ("ada", "Owner"),
            ("bob", "Maintainer"),
        ]
        assert [(one["user"], one["by"]) for one in everyone["invited"]] == [("eve", "ada")]
        page = (await peopled.ask(f"/api/projects/{name}/history?limit=1", auth)).json()
        assert page["entries"][0]["words"] == "yanked version 1.0 (“why not”)"
        following = f"/api/projects/{name}/history?before={page['next']}&limit=200"
        rest = (await peopled.ask(following, auth)).json()
        assert (rest["next"], rest["entries"][-1]["event"]) == (None, "project.created")
        assert "127.0.0.1" not in str(rest) + str(page)
    for what in ("people", "history"):
        reply = await peopled.ask(f"/api/projects/{name}/{what}", {"Authorization": peopled.auth("eve")})
        assert reply.status == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=x", "page"),
        ("page=1&page=2", "page"),
        ("page=99999999999999999999", "page"),
    ],
)
async def test_parameters(peopled: Index, query: str, field: str) -> None:
    """A parameter that is not what it has to be is named."""
    reply = await peopled.ask(f"/api/projects?{query}", {"Authorization": peopled.auth()})
    assert why(reply) == (400, field)


async def test_positions(peopled: Index, name: str) -> None:
    """A history is asked for by what the page before it said, and by nothing else."""
    await project(peopled, name)
    for query in ("before=x", f"before={'9' * 61}", "before=%00", "before=9.j9", "limit=0", "limit=201"):
        reply = await peopled.ask(f"/api/projects/{name}/history?{query}", {"Authorization": peopled.auth()})
        assert reply.status in ((200, 400) if query == "before=9.j9" else (400,)), (query, reply.text)


# Who may


@pytest.mark.parametrize("verb", ACTS)
async def test_who_may(peopled: Index, name: str, verb: str) -> None:
    """Nobody but an owner, by a token that is good for it, does anything; and nothing is half done."""
    await project(peopled, name)
    await project(peopled, f"{name}-other")
    tokens = {
        "a maintainer": (peopled.auth("bob"), 403),
        "a stranger": (peopled.auth("eve"), 403),
        "a token of another project": (await scoped(peopled, f"{name}-other"), 403),
        "a token of this project, for reading": (await scoped(peopled, name, read_only=True), 403),
        "a stranger's token of this project": (await scoped(peopled, name, user="eve"), 403),
        "nobody": (None, 401),
        "a wrong password": (basic("ada", "wrong"), 401),
        "a token that never was": (with_token(f"cheeseshop-{'0' * 16}-{'0' * 64}"), 401),
    }
    before = peopled.state()
    for who, (auth, status) in tokens.items():
        reply = await call(peopled, name, verb, body_of(verb, name), auth=auth)
        assert why(reply) == (status, ""), who
        assert ("WWW-Authenticate" in reply) == (status == 401), who
    changed = peopled.state() - before
    assert not changed or set(changed) == {"tokens"}, changed


async def test_pages_of_strangers(peopled: Index, name: str) -> None:
    """A page of another site does nothing with a token that a browser knows, with a body or without."""
    await project(peopled, name)
    headers = {"Authorization": peopled.auth(), "Content-Type": "text/plain"}
    for line in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        for body in (b"", b"{}"):
            path = f"/api/projects/{name}/archive"
            reply = await peopled.ask(path, headers | line, method="POST", body=body)
            assert why(reply) == (403, "")
    reply = await peopled.ask(
        f"/api/projects/{name}/archive", {"Origin": "https://x.example"}, method="OPTIONS"
    )
    assert (reply.status, "Access-Control-Allow-Origin" in reply) == (405, False)
    own = {"Origin": f"http://127.0.0.1:{peopled.port}", "Sec-Fetch-Site": "same-origin"}
    assert told(await peopled.ask(path, {"Authorization": peopled.auth(), **own}, method="POST")) == DONE


async def test_clients_that_leave(peopled: Index, name: str) -> None:
    """What was begun is done to its end, and shown, though nobody waits for the answer."""
    await project(peopled, name)
    headers = {"Authorization": peopled.auth(), "Content-Type": "application/json"}
    path = f"/api/projects/{name}/yank"
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    exchange = await client.connect(peopled.port)
    with closing(psycopg2.connect(peopled.database_url)) as other:
        other.cursor().execute("SELECT FROM projects WHERE name = %s FOR UPDATE", (name,))
        body = b'{"versions": ["1.0"]}'
        exchange.send(client.request(peopled.port, "POST", path, headers, body))
        await eventually(lambda: peopled.sql(waiting))
        exchange.vanish()
        await eventually(lambda: not peopled.site.crowd.open)
    written = f"SELECT id FROM audit WHERE normalized = '{name}' AND event = 'project.release-yanked'"
    await eventually(lambda: peopled.sql(written))
    page = (await peopled.ask(f"/pypi/{name}/json")).json()
    assert page["urls"][0]["yanked"] is True


async def test_rights_end_with_the_role(peopled: Index, name: str) -> None:
    """Whoever is no owner any more does nothing by the tokens they made; a reader is told nothing."""
    await project(peopled, name)
    assert told(await call(peopled, name, "change-role", {"user": "bob", "role": "Owner"})) == DONE
    token = await scoped(peopled, name, user="bob")
    assert told(await call(peopled, name, "archive", None, auth=token)) == DONE
    assert told(await call(peopled, name, "change-role", {"user": "bob", "role": "Reader"})) == DONE
    assert why(await call(peopled, name, "activate", None, auth=token)) == (403, "")
    for what in ("people", "history"):
        path = f"/api/projects/{name}/{what}"
        assert why(await peopled.ask(path, {"Authorization": peopled.auth("bob")})) == (403, "")
    assert told(await call(peopled, name, "remove-role", {"user": "bob"})) == DONE
    assert why(await call(peopled, name, "activate", None, auth=token)) == (403, "")


@pytest.mark.parametrize("verb", ACTS)
async def test_a_token_of_the_project(peopled: Index, name: str, verb: str) -> None:
    """A token that is good for one project does to it all that its owner may."""
    await project(peopled, name)
    token = await scoped(peopled, name)
    reply = await call(peopled, name, verb, body_of(verb, name), auth=f"Bearer {token_of(token)}")
    assert reply.status == 200, reply.text


def token_of(header: str) -> str:
    """The token in an Authorization header of basic."""
    return b64decode(header.removeprefix("Basic ")).decode().removeprefix("__token__:")


async def test_tokens_that_only_read(peopled: Index, name: str) -> None:
    """A token for reading is told what its owner may read; one of a project, of that alone."""
    await project(peopled, name)
    await project(peopled, f"{name}-other")
    reading, other = await scoped(peopled, name, read_only=True), await scoped(peopled, f"{name}-other")
    for what in ("people", "history"):
        path = f"/api/projects/{name}/{what}"
        assert (await peopled.ask(path, {"Authorization": reading})).status == 200
        assert why(await peopled.ask(path, {"Authorization": other})) == (403, "")
    assert why(await peopled.ask("/api/projects", {"Authorization": reading})) == (403, "")
    assert why(await peopled.ask("/api/projects")) == (401, "")
    await call(peopled, name, "set-reads", {"reads": "roles"})
    hidden = await peopled.ask(f"/api/projects/{name}/people", {"Authorization": other})
    assert hidden.status == 404
