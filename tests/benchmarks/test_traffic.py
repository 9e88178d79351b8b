"""Lists of requests: what is drawn, and what wrk is given."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import nginx, traffic, wrk
from benchmarks.clients import BARE, MIX, PIP_NOW
from benchmarks.traffic import Ask, Known, Page

NAMES = [f"project{number}" for number in range(1000)]


def test_lists_are_the_same_for_each_seed() -> None:
    """A list is drawn anew for another seed only."""
    assert traffic.drawn(NAMES, count=100) == traffic.drawn(NAMES, count=100)
    assert traffic.drawn(NAMES, count=100) != traffic.drawn(NAMES, count=100, seed=2)


def test_popular_projects_are_asked_for_more_often() -> None:
    """By Zipf's law the first of 1,000 gets 13 % of all requests, and a fifth of clients have the page."""
    asks = traffic.drawn(NAMES, count=20_000)
    assert 0.12 < sum(ask.project == "project0" for ask in asks) / 20_000 < 0.15
    assert 0.18 < sum(ask.has_it for ask in asks) / 20_000 < 0.22
    assert {ask.client.name for ask in asks} == {client.name for client in MIX}


def test_clients_send_what_they_send() -> None:
    """pip's request: its headers in its order, and the validator of what it has at the end."""
    sent = PIP_NOW.request("/simple/x/", "index.example", '"abc"').decode()
    assert sent.startswith("GET /simple/x/ HTTP/1.1\r\nHost: index.example\r\nUser-Agent: pip/26.3 {")
    assert sent.endswith('Connection: keep-alive\r\nIf-None-Match: "abc"\r\n\r\n')


def test_a_request_carries_the_validator_of_its_server() -> None:
    """Each server is asked with its own ETags, and only by clients that have the page."""
    pages = {("x", PIP_NOW.name): Page('"own"', b"", 0)}
    known = Known("http://index.example", traffic.simple, pages)
    assert b'If-None-Match: "own"' in known.request(Ask("x", PIP_NOW, has_it=True))
    assert b"If-None-Match" not in known.request(Ask("x", PIP_NOW))


def test_requests_are_written_once(tmp_path: Path) -> None:
    """The file for wrk has each different request once, and the order in which they are sent."""
    file = wrk.write(tmp_path / "requests", [b"one", b"two\n", b"one"])
    assert file.read_bytes() == b"2 3 2\n3\none\n4\ntwo\n\n1\n2\n1\n"


def test_nginx_answers_by_accept_and_wrk_asks(tmp_path: Path) -> None:
    """nginx picks the page by Accept, answers 304 to what it said, and wrk gets answers to a list of both."""
    if not (shutil.which("wrk") and shutil.which("nginx", path=f"/usr/bin:{nginx.SYSTEM_FOLDER}")):
        pytest.skip("nginx and wrk are not installed")
    page = tmp_path / "tree" / "simple" / "x"
    page.mkdir(parents=True)
    (page / "index.html").write_text("<html>")
    (page / "index.json").write_text("{}")
    with nginx.serving(nginx.ORDINARY, tmp_path / "nginx", tree=tmp_path / "tree") as (_, origin):
        asks = [Ask("x", PIP_NOW, has_it=True), Ask("x", BARE)]
        known = traffic.known(origin, asks)
        assert [page.sent for page in known.pages.values()] == [2, 6]
        load = wrk.Load(file=known.write(tmp_path / "requests", asks), connections=2, cores="")
        assert wrk.send(origin, load, 1).requests > 0
