"""The operator's listener: is the service alive, and is it ready?"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

from attrs import frozen
from twisted.logger import Logger

from caching.policy import NO_STORE
from pypi.http.answer import Answer
from pypi.http.router import Router

log = Logger()

Probe = Callable[[], Awaitable[object]]


@frozen(kw_only=True, eq=False)
class Health:
    """Answers ``/health/…`` on the operator's port only.

    Attributes:
        probes: name of a part the service stands on → something that fails when the part does not answer.
        dispensable: names of those it can do without.
        serial: of the last change this process has heard of.
    """

    router: ClassVar[Router] = Router()
    probes: Mapping[str, Probe]
    dispensable: frozenset[str] = frozenset()
    serial: Callable[[], int] = int

    @router.get("/health/live", policy=NO_STORE)
    async def live(self, request: Any) -> Answer:
        """Whether the process answers at all."""
        return Answer(body=b"alive\n")

    @router.get("/health/serial", policy=NO_STORE)
    async def last_serial(self, request: Any) -> Answer:
        """How far this process has heard of changes: whoever made one can wait until it is shown."""
        return Answer(body=b"%d\n" % self.serial())

    @router.get("/health/ready", policy=NO_STORE)
    async def ready(self, request: Any) -> Answer:
        """Whether everything the service cannot do without answers; 503 if not, naming what does not."""
        states = {name: await _state(name, probe) for name, probe in self.probes.items()}
        down = {name for name, state in states.items() if state != "ok"}
        ready = down <= self.dispensable
        body = json.dumps({"ready": ready, "parts": states}, sort_keys=True) + "\n"
        code = 200 if ready else 503
        return Answer(code=code, body=body.encode(), content_type="application/json")


async def _state(name: str, probe: Probe) -> str:
    try:
        await probe()
    except Exception as error:
        log.warn("{part} is not ready: {error}", part=name, error=str(error))
        return "down"
    return "ok"
