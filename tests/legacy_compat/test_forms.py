"""What is posted to the address of the first index, where uploads are taken there."""

from __future__ import annotations

import pytest

from tests.support import archives
from tests.support.forms import CONTENT_TYPE, Part, multipart
from tests.support.index import Index, basic

URLENCODED = "application/x-www-form-urlencoded"
CALL = b"<?xml version='1.0'?><methodCall><methodName>changelog_last_serial</methodName></methodCall>"


async def post(
    index: Index, body: bytes, *, to: str = "/pypi", kind: str = URLENCODED, auth: str | None = None
) -> tuple[int, str]:
    """(status, text) of the answer to a form."""
    headers = {"Content-Type": kind, "Authorization": auth}
    reply = await index.ask(to, headers, method="POST", body=body)
    assert "Location" not in reply
    return reply.status, reply.text


@pytest.mark.parametrize(
    "to", ["/pypi", "/pypi/", "//PyPI", "/cgi-bin/pypi.cgi", "/pypi?:action=file_upload"]
)
async def test_upload(index: Index, name: str, to: str) -> None:
    """A file is published at every address the index had."""
    filename = archives.wheel_filename(name, "1.0")
    reply = await index.upload(archives.wheel(name, "1.0"), filename, to=to)
    assert (reply.status, reply.text) == (200, f"{filename} is published.\n")
    assert (await index.ask(f"/simple/{name}/")).status == 200


async def test_upload_without_credentials(index: Index, name: str) -> None:
    """Who uploads has to say who they are; the challenge has the realm that old tools know."""
    filename = archives.wheel_filename(name, "1.0")
    reply = await index.upload(archives.wheel(name, "1.0"), filename, to="/pypi", auth=None)
    assert (reply.status, reply["WWW-Authenticate"]) == (401, 'Basic realm="pypi", charset="UTF-8"')


@pytest.mark.parametrize("action", ["submit", "submit_pkg_info"])
async def test_register(index: Index, action: str) -> None:
    """Registering succeeds for whoever has an account, and does nothing."""
    body = f":action={action}&name=new&version=1".encode()
    before = index.sql("SELECT count(*) FROM projects")
    assert (await post(index, body))[0] == 401
    assert (await post(index, body, auth=basic("ada", "wrong")))[0] == 401
    status, text = await post(index, body, auth=index.auth())
    assert (status, "Nothing needs to be registered" in text) == (200, True)
    parts = multipart([Part(":action", action.encode()), Part("name", b"new")])
    assert (await post(index, parts, kind=CONTENT_TYPE, auth=index.auth()))[0] == 200
    assert index.sql("SELECT count(*) FROM projects") == before


async def test_verify(index: Index) -> None:
    """Anybody may have name and version looked at."""
    assert (await post(index, b":action=verify&name=new&version=1.0"))[0] == 200
    assert (await post(index, b":action=verify&name=-&version=1.0"))[0] == 400
    assert (await post(index, b":action=verify&name=new&version=what+ever"))[0] == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"name=new", 400),
        (b":action=display&:action=rss", 400),
        (b":action=display", 405),
        (b":action=login", 405),
        (b":action=remove_pkg", 410),
        (b":action=user&name=new", 410),
        (b":action=doc_upload", 410),
        (b":action=nosuch", 404),
        (b":action=submit&name=%ff", 400),
    ],
)
@pytest.mark.parametrize("known", [False, True])
async def test_other_actions(index: Index, body: bytes, status: int, known: bool) -> None:
    """Everything else is answered by what it asks for, whoever asks."""
    assert (await post(index, body, auth=index.auth() if known else None))[0] == status


async def test_query_and_form(index: Index) -> None:
    """The action may stand in the query, but not contradict the form."""
    assert (await post(index, b"", to="/pypi?:action=verify"))[0] == 400
    assert (await post(index, b"name=a&version=1", to="/pypi?:action=verify"))[0] == 200
    assert (await post(index, b":action=submit", to="/pypi?:action=verify"))[0] == 400


async def test_no_form(index: Index) -> None:
    """What is neither form nor call is refused; a call is answered, whatever its type says besides."""
    assert (await post(index, b"{}", kind="application/json"))[0] == 400
    assert (await post(index, b"junk", kind="multipart/form-data"))[0] == 400
    status, text = await post(index, CALL, kind="TEXT/XML; charset=utf-8")
    assert (status, "methodResponse" in text) == (200, True)


async def test_nothing_is_left_behind(index: Index, name: str) -> None:
    """A file that comes with another action than to upload it does not stay."""
    filename = archives.wheel_filename(name, "1.0")
    reply = await index.upload(archives.wheel(name, "1.0"), filename, to="/pypi", action="submit")
    assert reply.status == 200
    await index.rests()


async def test_large_forms_of_nobody(index: Index) -> None:
    """A form without credentials is read up to a megabyte: whatever is larger is an upload."""
    parts = multipart([Part("content", bytes(2 << 20), "a.whl"), Part(":action", b"file_upload")])
    assert (await post(index, parts, kind=CONTENT_TYPE))[0] == 401
