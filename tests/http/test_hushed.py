"""What the access log does not tell of personal pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet import reactor

from pypi.http.hushed import hushed
from pypi.http.log_lines import Combined, Json
from pypi.http.request import Request
from pypi.http.site import Site
from tests.http.memory import errors_logged, serve
from tests.http.probes import H
from tests.support import client
from tests.support.index import eventually, running

TOKEN = f"cheeseshop-0123456789abcdef-{'0a' * 32}"
SECRET = "aB3-_" * 8 + "xyz"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/account/openid/callback?code=a&state=b", "/account/openid/callback"),
        ("/account/openid/callback?", "/account/openid/callback"),
        ("/account/openid/callback", "/account/openid/callback"),
        ("https://i.example/account/openid/callback?code=a", "https://i.example/account/openid/callback"),
        (f"/account/reset/{SECRET}", "/account/reset/***"),
        (f"/account/verify/{SECRET}/?x=1", "/account/verify/***/?x=1"),
        (
            f"https://i.example/account/register/confirm/{SECRET}",
            "https://i.example/account/register/confirm/***",
        ),
        (f"/account/sign-in/?next=/account/reset/{SECRET}", "/account/sign-in/?next=/account/reset/***"),
        ("/account/sign-in/?next=/account/", "/account/sign-in/?next=/account/"),
        (f"/account/reset/{SECRET}x", f"/account/reset/{SECRET}x"),
        (f"/project/{SECRET}/", f"/project/{SECRET}/"),
        ("/search/?q=code", "/search/?q=code"),
        (f"/simple/?token={TOKEN}&x=1", "/simple/?token=cheeseshop-0123456789abcdef-***&x=1"),
        (f"/account/?{TOKEN}", "/account/?cheeseshop-0123456789abcdef-***"),
        ("/project/cheeseshop-tools/", "/project/cheeseshop-tools/"),
        ("", ""),
    ],
)
def test_hushed(address: str, told: str) -> None:
    """Secrets, codes and tokens are left out of addresses; all else stays as it is."""
    assert hushed(address.encode()) == told.encode()


@pytest.mark.parametrize("lines", [Combined(), Json()])
def test_referers(lines: Combined | Json) -> None:
    """They are left out of what browsers say they come from, too."""
    line = lines.suffix(f"https://i.example/account/reset/{SECRET}".encode(), b"Browser")
    assert SECRET.encode() not in line
    assert b"https://i.example/account/reset/***" in line


def test_failures() -> None:
    """What is logged of a request that failed holds no secret of its address."""

    async def handler(request: Request) -> None:
        raise RuntimeError

    with errors_logged() as events:
        target = f"GET /account/reset/{SECRET} HTTP/1.1\r\n".encode()
        serve(handler).connect().send(target + H + b"\r\n")
    [event] = events
    assert event["uri"] == b"/account/reset/***"


async def test_in_the_log(database_url: str, tmp_path: Path) -> None:
    """What is written tells who came back when, and nothing that they brought along."""
    file = tmp_path / "access.log"
    async with running(database_url, tmp_path / "data", log__access=str(file)) as index:
        watch, application = index.application.watch, index.application
        site = Site(
            application.public,
            reactor=reactor,
            hosts=application.hosts,
            access_log=watch.observer,
            lane=application.caches.lane,
        )
        listening = reactor.listenTCP(0, site, interface="127.0.0.1")  # type: ignore[attr-defined]
        port = listening.getHost().port
        back = f"/account/openid/callback?code=c0de&state={SECRET}"
        try:
            await client.ask(port, "GET", back)
            await client.ask(port, "GET", f"/account/reset/{SECRET}")
            for _ in range(3):
                await client.ask(port, "GET", "/help/", {"Referer": f"http://127.0.0.1:{port}{back}"})
            await eventually(lambda: file.exists() and file.read_text().count("\n") == 5)
        finally:
            await listening.stopListening()
        text = file.read_text()
    assert text.count("/account/openid/callback") == 4
    assert "c0de" not in text
    assert SECRET not in text
