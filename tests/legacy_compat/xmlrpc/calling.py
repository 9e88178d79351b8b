"""Calls, as tests make them."""

from __future__ import annotations

from typing import Any
from xmlrpc.client import dumps, loads

from tests.support.index import Index


async def call(index: Index, method: str, *arguments: Any, path: str = "/RPC2") -> Any:
    """The result of a call.

    Raises:
        Fault: that was the answer.
    """
    return await send(index, dumps(arguments, method, allow_none=True).encode(), path=path)


async def send(index: Index, body: bytes, *, path: str = "/RPC2") -> Any:
    """The result of a call of these bytes.

    Raises:
        Fault: that was the answer.
    """
    reply = await index.ask(path, {"Content-Type": "text/xml"}, method="POST", body=body)
    assert (reply.status, reply["Content-Type"]) == (200, "text/xml; charset=utf-8"), reply
    (found,), _ = loads(reply.body, use_builtin_types=True)
    return found
