"""``POST /RPC2``, and ``POST /pypi`` where its body is XML: the index for programs of old."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from xmlrpc.client import Fault

from attrs import field, frozen
from twisted.internet.defer import CancelledError
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from caching.blocks import Whole
from caching.compression import gzipped
from caching.layered import Found, Ladder, Question, Uncacheable
from caching.limiter import Limiter, Verdict
from caching.policy import DAY, Policy
from caching.stats import RouteStats
from caching.store import Entry
from legacy_compat.xmlrpc import faults, marshal
from legacy_compat.xmlrpc.answers import Answers, Made
from legacy_compat.xmlrpc.calls import LARGEST, Call
from legacy_compat.xmlrpc.methods import ARRAY, TABLE, Keep
from legacy_compat.xmlrpc.remembered import Asked, Remembered
from pypi.domain.errors import Invalid, Refusal, Unavailable
from pypi.domain.switches import Switches
from pypi.http.answer import GZIP_FROM, THREAD_FROM, Answer
from pypi.http.negotiate import joined, takes_gzip
from pypi.http.rate_limit import client_key, headers
from pypi.http.refused import said
from pypi.http.router import Router
from pypi.http.streams import of_blocks
from pypi.http.terms import reading

log = Logger()

CONTENT_TYPE = "text/xml; charset=utf-8"

CALLS = reading(rate_limit="xmlrpc.client")

KEPT = Policy(keep=DAY, stale_if_error=DAY)
"""For how long answers are kept, here and in Redis, unless a change touches them."""

KEPT_BRIEFLY = Policy(keep=300, stale_if_error=DAY)
"""The same of what changes all the time."""

MOST_CALLS = 100
"""Calls in one."""

MOST_SECONDS = 10.0
"""For all calls in one; those that are left then are not made."""

MOST_BYTES = 16 << 20
"""Of the answers to all calls in one."""

THREAD_TO_READ = 64 << 10
"""Bytes of a call from which reading it would keep the reactor busy for milliseconds."""

_XML = re.compile(r"\s*(?:text|application)/xml\s*(?:;.*)?", re.IGNORECASE)


def is_call(request: Any) -> bool:
    """Whether the body of a request may be a call of XML-RPC: whether it says that it is XML."""
    stated = request.requestHeaders.getRawHeaders("Content-Type", [""])[0]
    return _XML.fullmatch(stated) is not None


@frozen(kw_only=True, eq=False)
class XmlRpc:
    """Answers calls.

    Attributes:
        ladder: of what was answered before; also of that which others have.
        limiter: of calls by client.
    """

    router: ClassVar[Router] = Router()
    answers: Answers
    ladder: Ladder
    limiter: Limiter
    switches: Switches = field(factory=Switches)
    _remembered: Remembered = field(factory=Remembered, init=False)
    _stats: RouteStats = field(factory=lambda: RouteStats("/RPC2"), init=False)

    @router.call("/RPC2", terms=CALLS)
    async def rpc2(self, request: Any) -> Answer:
        """A call."""
        if not is_call(request):
            return said(request, 415, "Calls of XML-RPC are text/xml.", phrase=False)
        return await self.answer(request)

    @router.call("/RPC2/", terms=CALLS)
    async def rpc2_slash(self, request: Any) -> Answer:
        """The same: clients of XML-RPC follow no redirects."""
        return await self.rpc2(request)

    async def answer(self, request: Any) -> Answer:
        """What is answered to the call in the body of a request; 200, be it a value or a fault.

        Raises:
            BodyTooLarge: nobody reads so much.
        """
        request.route = self._stats
        request.body.check(LARGEST)
        verdict = await self.limiter.take(client_key(request.caller.address))
        try:
            answer = await self._within_limit(request, verdict)
        except Fault as fault:
            answer = Answer(body=marshal.fault(fault), content_type=CONTENT_TYPE)
        return answer.adding(headers(self.limiter, verdict))

    async def _within_limit(self, request: Any, verdict: Verdict) -> Answer:
        body = await request.body.read(LARGEST)
        if not verdict.allowed:
            raise faults.too_many(verdict.retry_seconds)
        asked = self._remembered.get(body) or await self._understood(request, body)
        try:
            return await self._answer(request, asked)
        except (Fault, Refusal, Uncacheable) as refusal:
            raise _fault(refusal) from None
        except CancelledError:
            raise
        except Exception:
            log.failure("XML-RPC failed: {method}", method=asked.method.name)
            raise faults.mistake() from None

    async def _understood(self, request: Any, body: bytes) -> Asked:
        try:
            if len(body) >= THREAD_TO_READ:
                return await deferToThread(self._remembered.understand, body)
            return self._remembered.understand(body)
        except Fault as fault:
            if fault.faultCode == faults.NO_SUCH_METHOD:
                request.used("xmlrpc.other")
            raise

    async def _answer(self, request: Any, asked: Asked) -> Answer:
        self._use(request, asked)
        if asked.method.name == "system.multicall":
            made = await self.multicall(request, *asked.arguments)
            return await _sent(request, made.body)
        if asked.method.keep is Keep.NEVER:
            found = await self._made(asked)
            if isinstance(found, Whole):
                return Answer(body=of_blocks(found), content_type=CONTENT_TYPE)
            return await _sent(request, found.body)
        return await self._written(request, await self._found(asked))

    def _use(self, request: Any, asked: Asked) -> None:
        name = f"xmlrpc.{asked.method.name}"
        request.used(name)
        self.switches.check(name)

    async def _made(self, asked: Asked) -> Made | Whole:
        made: Made | Whole = await getattr(self.answers, asked.method.function)(*asked.arguments)
        return made

    # --- what is kept -------------------------------------------------------------------------------------

    async def _found(self, asked: Asked) -> Found:
        address = asked.address
        if asked.method.keep is Keep.AT_SERIAL:
            address += b"%d" % await self._serial()
        policy = KEPT_BRIEFLY if asked.method.keep is Keep.FOR_MINUTES else KEPT
        question = Question(
            address=address, variant="", policy=policy, stats=self._stats, make=lambda: self._entry(asked)
        )
        return await self.ladder.find(question)

    async def _serial(self) -> int:
        """Of the last change; where nobody answers, the last for which there may be an answer."""
        try:
            with self.ladder.breaker.attempt(Unavailable):
                return await self.answers.history.last_serial()
        except Unavailable:
            seen = self.answers.history.seen
            return self.ladder.known.last if seen is None else seen

    async def _entry(self, asked: Asked) -> Entry:
        made = await self._made(asked)
        assert isinstance(made, Made)
        pack = len(made.body) >= GZIP_FROM
        return Entry(
            code=200,
            standing=(("Content-Type", CONTENT_TYPE),),
            headers=(),
            body=await _gzipped(made.body) if pack else made.body,
            packed=pack,
            etag=None,
            tags=made.tags,
            serial=0,
            made=0.0,
            cost=0.0,
        )

    async def _written(self, request: Any, found: Found) -> Answer:
        kept = found.kept
        told = [("Cache-Status", found.status)]
        if found.age:
            told.append(("Age", str(found.age)))
        if kept.plain is kept.packed:
            return _answer(kept.packed.body, *told)
        if takes_gzip(joined(request, "Accept-Encoding")):
            return _answer(kept.packed.body, ("Content-Encoding", "gzip"), *told)
        return _answer((await self.ladder.plain(kept)).body, *told)

    # --- several calls in one -----------------------------------------------------------------------------

    @TABLE.add("array", keep=Keep.NEVER, name="system.multicall", calls=ARRAY)
    async def multicall(self, request: Any, calls: list[Any]) -> Made:
        """Several calls in one, each a struct of methodName and params; at most 100, and none like this.

        Returns an array with an array of the result, or a fault as a struct, for each call.
        """
        if len(calls) > MOST_CALLS:
            raise faults.refused("ValueError", f"Multicall limit is {MOST_CALLS} calls")
        await self._take(request, len(calls) - 1)
        ends, size, results = self.ladder.reactor.seconds() + MOST_SECONDS, 0, []
        for call in calls:
            if self.ladder.reactor.seconds() >= ends or size >= MOST_BYTES:
                results.append(marshal.fault_xml(faults.unavailable()))
                continue
            results.append(await self._one_of_several(request, call))
            size += len(results[-1])
        return Made(marshal.response(marshal.listed(results)))

    async def _take(self, request: Any, count: int) -> None:
        if count > 0:
            verdict = await self.limiter.take(client_key(request.caller.address), count)
            if not verdict.allowed:
                raise faults.too_many(verdict.retry_seconds)

    async def _one_of_several(self, request: Any, call: Any) -> str:
        """The result in an array, or the fault."""
        try:
            asked = Asked.of(_inner(call))
            self._use(request, asked)
            return marshal.listed([marshal.value_of(await self._body(asked))])
        except (Fault, Refusal, Uncacheable) as refusal:
            return marshal.fault_xml(_fault(refusal))
        except CancelledError:
            raise
        except Exception:
            log.failure("XML-RPC failed in a multicall")
            return marshal.fault_xml(faults.mistake())

    async def _body(self, asked: Asked) -> bytes:
        if asked.method.keep is not Keep.NEVER:
            found = await self._found(asked)
            return (await self.ladder.plain(found.kept)).body
        made = await self._made(asked)
        if isinstance(made, Whole):
            raise faults.refused("ValueError", f"{asked.method.name} is too long for a multicall")
        return made.body


def _inner(call: Any) -> Call:
    """A call of several.

    Raises:
        Fault: it is none, or several again.
    """
    name = call.get("methodName") if isinstance(call, Mapping) else None
    arguments = call.get("params", []) if isinstance(call, Mapping) else None
    if not isinstance(name, str) or not isinstance(arguments, list):
        raise faults.invalid_params("calls: Input should be structs of methodName and params")
    if name == "system.multicall":
        raise faults.refused("ValueError", "Cannot use system.multicall inside a multicall")
    return Call(name, tuple(arguments))


def _fault(refusal: Exception) -> Fault:
    """A refusal in the words of XML-RPC."""
    match refusal:
        case Fault():
            return refusal
        case Unavailable() | Uncacheable():
            return faults.unavailable()
        case Invalid():
            return faults.refused("ValueError", str(refusal))
    return faults.refused("RuntimeError", str(refusal))


def _answer(body: bytes, *told: tuple[str, str]) -> Answer:
    return Answer(body=body, content_type=CONTENT_TYPE, headers=told)


async def _sent(request: Any, body: bytes) -> Answer:
    """An answer that nobody keeps."""
    if len(body) < GZIP_FROM or not takes_gzip(joined(request, "Accept-Encoding")):
        return _answer(body)
    return _answer(await _gzipped(body), ("Content-Encoding", "gzip"))


async def _gzipped(body: bytes) -> bytes:
    packed: bytes = gzipped(body) if len(body) < THREAD_FROM else await deferToThread(gzipped, body)
    return packed
