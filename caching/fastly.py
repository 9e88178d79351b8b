"""Fastly: its API purges by surrogate key, many at a time, softly or for good."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence

from attrs import field, frozen

from caching.client import Client, NoReply, Reply
from caching.policy import edge_tag
from caching.purge import PurgeFailed, batches, retry_after

API = "https://api.fastly.com"

LONGEST_CALL = 16 * 1024
"""Bytes of the keys of one call."""


@frozen(kw_only=True, eq=False)
class Fastly:
    """One service at Fastly.

    Attributes:
        service: its identifier.
        token: of an account that may purge it.
        api: URL of the API, without a slash at its end.
        clock: POSIX seconds, to which a date in ``Retry-After`` is compared.
    """

    service: str
    token: str = field(repr=False)
    client: Client = field(repr=False)
    api: str = API
    clock: Callable[[], float] = field(default=time.time, repr=False)

    async def purge(self, tags: Sequence[str], *, hard: bool = False) -> None:
        """Purge by surrogate keys, one call after the other.

        Args:
            hard: whether what they mark is lost; otherwise it becomes stale.

        Raises:
            PurgeFailed: a call was not acknowledged; those before it were.

        Source: Fastly's API reference, "Purge multiple surrogate key tags".
        """
        manner = {} if hard else {"Fastly-Soft-Purge": "1"}
        for batch in batches(map(edge_tag, tags), longest=LONGEST_CALL):
            said = await self._post("purge", manner, {"surrogate_keys": batch})
            # One identifier for each key; a single word for all of them is as good.
            if said.get("status") != "ok" and not said.keys() >= set(batch):
                raise PurgeFailed(f"{self} answered without acknowledging: {str(said)[:200]}")

    async def purge_all(self) -> None:
        """Forget everything, at once and for good: Fastly has no soft way for that.

        Raises:
            PurgeFailed: it was not acknowledged.

        Source: Fastly's API reference, "Purge everything from a service".
        """
        said = await self._post("purge_all", {}, None)
        if said.get("status") != "ok":
            raise PurgeFailed(f"{self} answered without acknowledging: {str(said)[:200]}")

    async def _post(
        self, call: str, more: Mapping[str, str], value: Mapping[str, object] | None
    ) -> dict[str, object]:
        headers = {"Accept": "application/json", "Fastly-Key": self.token, **more}
        if value is not None:
            headers["Content-Type"] = "application/json"
        body = b"" if value is None else json.dumps(value).encode()
        try:
            reply = await self.client.ask("POST", f"{self.api}/service/{self.service}/{call}", headers, body)
        except NoReply as reason:
            raise PurgeFailed(str(reason)) from None
        if reply.status != 200:
            raise PurgeFailed(
                f"{self} answered {reply.status}: {_start(reply)}", retry_after(reply.headers, self.clock())
            )
        return self._read(reply)

    def _read(self, reply: Reply) -> dict[str, object]:
        try:
            said = json.loads(reply.body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or said.get("status") == "error":
            raise PurgeFailed(f"{self} answered 200, but not well: {_start(reply)}")
        return said


def _start(reply: Reply) -> str:
    return reply.body[:200].decode("utf-8", "replace")
