"""Somebody else sends the bytes of a file: the server in front of us, or the bucket they lie in.

Who may have the file, and whether the client has it already, is decided here all the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import quote

from attrs import frozen

from caching.policy import Policy
from pypi.files.store import StoredFile
from pypi.http.answer import Answer


class Handoff(Protocol):
    """Sends a client, or the server in front of us, to where a file is."""

    async def answer(self, request: Any, path: str, stored: StoredFile) -> Answer | None:
        """What is said instead of the file; ``None`` if we send it ourselves.

        Args:
            path: its store path.
        """


@frozen(kw_only=True)
class ToFront:
    """A server in front of us sends files of a disk it shares with us, ranges included.

    Only a proxy that is trusted is told, for only such a one is known to be there: any other client gets the
    file.

    Attributes:
        header: what that server understands: ``X-Accel-Redirect`` (nginx), ``X-Sendfile`` (Apache, lighttpd).
        prefix: nginx: of the internal location that holds the store; ``None``: the path on the disk is sent.
    """

    header: str
    prefix: str | None = None

    async def answer(self, request: Any, path: str, stored: StoredFile) -> Answer | None:
        """An empty answer whose header says where the file is."""
        if stored.os_path is None or request.channel.address not in request.site.callers.trusted:
            return None
        where = str(stored.os_path) if self.prefix is None else self.prefix + quote(path)
        return Answer(headers=((self.header, where),), content_type="application/octet-stream")


@frozen(kw_only=True)
class ToBucket:
    """Clients fetch the bytes from the bucket, by a URL that is good for a while.

    Attributes:
        presigned: (store path, seconds) → URL.
        seconds: how long it is good; caches keep it half as long.
        shared: whether everybody may read, and so caches may hand the URL to others.
    """

    presigned: Callable[[str, int], Awaitable[str]]
    seconds: int
    shared: bool = True

    async def answer(self, request: Any, path: str, stored: StoredFile) -> Answer | None:
        """A redirect."""
        url = await self.presigned(path, self.seconds)
        return Answer(
            code=302,
            headers=(("Location", url),),
            body=b"The file is elsewhere.\n",
            policy=Policy(browser=self.seconds // 2, shared=self.shared, cors=True),
        )
