"""How changes are written: as a page of JSON, and as Server-Sent Events (WHATWG HTML §9.2)."""

from __future__ import annotations

import json

from pypi.index.changes import Page
from pypi.index.tail import Form

RETRY = 2000
"""Milliseconds after which a client shall come again when its stream has ended."""

EVENTS = "text/event-stream; charset=utf-8"
JSON = "application/json"


def page(found: Page, origin: str) -> bytes:
    """A page: a line for each change, so that people can read it, too."""
    head = {
        "since": found.since,
        "limit": found.limit,
        "serial": found.serial,
        "full": found.is_full,
        "next": f"{origin}/api/changes?since={found.serial}&limit={found.limit}",
    }
    lines = f"[\n{found.lines}\n]" if found.lines else "[]"
    return f'{json.dumps(head)[:-1]}, "changes": {lines}}}\n'.encode()


def error(code: int, title: str, sentence: str) -> bytes:
    """What is wrong with a question, in the words every error of the index has in JSON."""
    said = {"message": sentence, "code": f"{code} {title}", "title": title}
    return (json.dumps(said, ensure_ascii=False) + "\n").encode()


def event(serial: int, line: str) -> bytes:
    """A change; JSON has no line end in it."""
    return f"id: {serial}\ndata: {line}\n\n".encode()


def begin(serial: int) -> bytes:
    """No event, but the place at which a client goes on that loses its connection before the first."""
    return f"retry: {RETRY}\nid: {serial}\n\n".encode()


def restart(serial: int) -> bytes:
    """The journal is not the one that the client knows, and goes on here."""
    return f'id: {serial}\nevent: restart\ndata: {{"serial":{serial}}}\n\n'.encode()


STREAM = Form(
    event=event,
    begin=begin,
    restart=restart,
    alive=b": alive\n\n",
    end=b": come again\n\n",
)
