"""The old world ahead of the routes of today: which requests it takes, and how they are answered."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from attrs import evolve, frozen

from legacy_compat import urls
from legacy_compat.docs_hosting import Moved
from legacy_compat.forms import Forms
from legacy_compat.found import Found, policy_of
from legacy_compat.hosts import OldHosts, Where
from legacy_compat.paths import Path
from legacy_compat.questions import Digest, Gone, Malformed, Missing, Page, Question, Text, Today
from legacy_compat.said import (
    INSECURE,
    NO_METHOD,
    NOT_OURS,
    PAGE,
    READ_ONLY,
    READS,
    READS_AND_FORMS,
    allowed,
    reader,
)
from pypi.domain.errors import Refusal
from pypi.domain.switches import Switches
from pypi.http.announced import announcements
from pypi.http.answer import SAFE, Answer, write
from pypi.http.keeping import Keeper, aside, in_lane, variant_of
from pypi.http.negotiate import joined
from pypi.http.reading import Reading
from pypi.http.refused import refused, shown

CALLED = frozenset({("pypi", ()), ("cgi-bin", ("pypi.cgi",))})
"""(first segment, others) of the addresses of forms."""

API = frozenset({"simple", "packages", "legacy", "rpc2", "api", "rss"})
"""First segments of what programs ask, who are not led from HTTP to HTTPS, but told that it is needed."""

OLD = frozenset({Where.INDEX, Where.FILES, Where.DOCS})
HERE_ONLY = (Today, Text, Digest, Missing)
"""Questions that nobody is led on by, who asked them of somebody else."""

TELL_NOTHING = (Page, Gone, Missing, Malformed)
"""Questions whose answers tell nothing of what there is."""

CALLS = "rpc2"
"""Where XML-RPC is on every host: its clients follow no redirects."""

Work = Coroutine[Any, Any, None]


@frozen(kw_only=True, eq=False)
class OldWorld:
    """Answers old addresses, on every host name the index ever had.

    Attributes:
        hosts: whose names are whose.
        moved: where documentation has gone.
        pages: paths of today that are one page each.
        secure_only: whether nothing is answered over plain HTTP.
        keeper: of the answers that are kept.
        reading: who decides who reads; of what is private, everybody is told here that it is not there.
    """

    hosts: OldHosts
    moved: Moved
    found: Found
    forms: Forms
    pages: frozenset[str]
    secure_only: bool
    switches: Switches
    keeper: Keeper | None = None
    reading: Reading | None = None

    def shows_pages(self, request: Any) -> bool:
        """Whether a page finds here all that belongs to it: not on hosts of old, which lead on."""
        if request.authority is None or (self.secure_only and not request.isSecure()):
            return False
        return self.hosts.where(request.authority) is Where.HERE

    # --- what is asked for --------------------------------------------------------------------------------

    def takes(self, request: Any) -> Work | None:
        """What will answer a request; ``None`` where the routes of today do.

        Such a request may have been given an address that they know.
        """
        where = self.hosts.where(request.authority)
        insecure = self.secure_only and not request.isSecure()
        path = Path.of(
            request.text_path,
            runs=b"//" in request.path,
            query=request.query,
            foreign=insecure or where in OLD,
        )
        if where is Where.HERE and not insecure and path.root not in urls.TABLE:
            return None
        if request.method not in SAFE:
            return self._takes_other(request, path, where, insecure)
        if insecure and _is_api(path):
            return write(request, INSECURE)
        question = self._question(path, request.text_path, where)
        if where is Where.NOWHERE and (question is None or isinstance(question, HERE_ONLY)):
            return write(request, NOT_OURS)
        if question is None or isinstance(question, Today):
            return self._readdress(request, question)
        if insecure and question.by_program:
            return write(request, INSECURE)
        return self._answer(
            request,
            question,
            base="" if where is Where.HERE and not insecure and request.authority else self.found.origin,
            also=("legacy.hosts",) if where in OLD else (),
        )

    def _question(self, path: Path, text: str, where: Where) -> Question | None:
        if where is Where.DOCS:
            return self.moved.question(text)
        if where is Where.FILES and path.root != "packages":
            return Missing(feature="legacy.hosts")
        question = urls.question(path)
        if question is not None or not path.foreign or path.root == CALLS:
            return question
        there = next((page for page in (text, text + "/") if page in self.pages), None)
        if there is None:
            return Missing(feature="legacy.hosts")
        return Page(feature="legacy.hosts", path=there)

    def _takes_other(self, request: Any, path: Path, where: Where, insecure: bool) -> Work | None:
        """What answers a method that does not read."""
        writes = request.method != b"OPTIONS"
        if insecure and writes:
            return write(request, INSECURE)
        if where is not Where.DOCS and (path.root, path.parts) in CALLED:
            return self._form(request)
        question = self._question(evolve(path, foreign=False), request.text_path, where)
        if isinstance(question, Page) and question.path == "/simple/":
            question = Today(feature="legacy.simple", path=question.path)
        if question is None or isinstance(question, Today):
            return self._readdress(request, question)
        if not writes:
            return write(request, allowed(READS))
        if isinstance(question, Gone) and request.method == b"POST":
            return self._answer(request, question)
        return write(request, READ_ONLY)

    def _readdress(self, request: Any, question: Today | None) -> Work | None:
        """Let the routes of today answer, under the address they know."""
        if question is None:
            return None
        try:
            self._use(request, question.feature)
        except Refusal as refusal:
            return write(request, refused(request, refusal))
        request.text_path = question.path
        request.postpath = question.path[1:].encode().split(b"/")
        return None

    # --- answering ----------------------------------------------------------------------------------------

    async def _form(self, request: Any) -> None:
        if request.method == b"OPTIONS":
            await write(request, allowed(READS_AND_FORMS))
            return
        if request.method != b"POST":
            await write(request, NO_METHOD)
            return
        try:
            answer = await self.forms.answer(request)
        except Refusal as refusal:
            answer = refused(request, refusal)
        await write(request, self._announced(request, answer))

    async def _answer(
        self, request: Any, question: Question, base: str = "", also: tuple[str, ...] = ()
    ) -> None:
        noted = self.found.noted(question)
        if noted is not None:
            request.route = noted.by(question.feature)
        try:
            self._use(request, question.feature, *also)
            if not isinstance(question, TELL_NOTHING) and (instead := await self._look(request)) is not None:
                await write(request, instead)
                return
            await self._find(request, question, base)
        except Refusal as refusal:
            await write(request, refused(request, refusal))

    async def _look(self, request: Any) -> Answer | None:
        """What to answer somebody who may not be told anything."""
        looking = None if self.reading is None else self.reading.look(request, None)
        if looking is None:
            return None
        if self.secure_only and not request.isSecure():
            return INSECURE
        return (await looking).instead

    def _use(self, request: Any, *features: str) -> None:
        for feature in features:
            request.used(feature)
            self.switches.check(feature)

    async def _find(self, request: Any, question: Question, base: str) -> None:
        """Answer by what can be looked up; from the lane, next time, where nothing but a path was asked."""
        policy = policy_of(question)
        variant = variant_of(request, policy)
        as_page = (variant if policy.keep else reader(joined(request, "Accept"), {})) == PAGE

        async def make() -> Answer:
            answer = self._announced(request, await self.found.answer(question, base))
            return shown(request, answer) if as_page else answer

        if self.keeper is None or not policy.keep:
            await write(request, await make(), policy, None if self.keeper is None else self.keeper.dialect)
            return
        if base:
            # What was meant depends on the host, too; on our own, the target says it all.
            address = aside(f"{base} {question}".encode())
        else:
            address = in_lane(request) or aside(b"old " + request.uri)
        await self.keeper.share(request, address, variant, policy, request.route, make)

    def _announced(self, request: Any, answer: Answer) -> Answer:
        return answer.adding(announcements(self.switches, request.features))


def _is_api(path: Path) -> bool:
    """Whether programs ask for this, rather than people."""
    return path.root in API or ((path.root, path.parts) in CALLED and b"action" in path.query)
