"""``GET /api/projects``: what programs are told that look after projects."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from attrs import frozen

from caching.policy import NO_STORE
from pypi.accounts.errors import NotForThisToken
from pypi.domain.errors import Forbidden
from pypi.domain.permissions import Access, Permission, Role, in_scope, is_granted
from pypi.domain.values import Status
from pypi.http.answer import Answer
from pypi.http.described import Operation, Parameter
from pypi.http.router import Router
from pypi.http.terms import asking
from pypi.index.held import Held, NotYours
from pypi.index.managed import Managing
from pypi.index.past import MOST, PAGE, Past
from pypi.web.api import shapes
from pypi.web.api.acts import MANAGING, answer, content
from pypi.web.api.asked import number, word

PAGES = Parameter(
    name="page",
    about="which page",
    schema={"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1},
)
BEFORE = Parameter(
    name="before",
    about="`next` of the page before; missing for the first",
    schema={"type": "string", "maxLength": 60},
)
LIMIT = Parameter(
    name="limit",
    about="entries of a page",
    schema={"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE},
)


@frozen
class NotToldTo(Forbidden):
    """What is asked is for those who look after the project."""

    project: str

    def __str__(self) -> str:
        return f"Only owners and maintainers of {self.project!r} are told this."


@frozen(kw_only=True, eq=False)
class ManagedProjects:
    """Tells whoever has a role in projects which these are, and what happens to them."""

    router: ClassVar[Router] = Router()
    managing: Managing
    past: Past

    @router.get(
        "/api/projects",
        policy=NO_STORE,
        terms=asking(),
        about=Operation(
            name="projects",
            summary="Your projects",
            about="Those in which you have a role, by name. Not for tokens that are good for one project.",
            group=MANAGING,
            parameters=(PAGES,),
            answer=content(shapes.OwnProjects),
            refusals=(400,),
        ),
    )
    async def projects(self, request: Any) -> Answer:
        """A page of them."""
        page = number(request, PAGES)
        if request.identity.project_id is not None:
            raise NotForThisToken()
        found = await self.managing.mine(request.identity, page)
        projects = [
            shapes.OwnProject(
                name=one.name,
                role=Role(one.role),
                status=Status(one.status),
                reads=Access(one.reads),
                version=one.version,
                files=one.files,
                size=one.size,
                released=None if one.released is None else _moment(one.released),
            )
            for one in found.projects
        ]
        return answer(
            shapes.OwnProjects(
                projects=projects, count=found.count, page=found.part.page, pages=found.part.last
            )
        )

    @router.get(
        "/api/projects/<name>/people",
        policy=NO_STORE,
        terms=asking(),
        about=Operation(
            name="people",
            summary="Who is what to a project",
            about="And who is offered what; for its owners and maintainers.",
            group=MANAGING,
            answer=content(shapes.Everyone),
        ),
    )
    async def people(self, request: Any, name: str) -> Answer:
        """Everyone."""
        await self._held(request, name)
        found = await self.managing.people(request.identity, name)
        members = [
            shapes.Member(user=one.name, role=Role(one.role), since=_moment(one.since))
            for one in found.members
        ]
        invited = [
            shapes.Invited(
                user=one.name,
                role=Role(one.role),
                by=one.inviter,
                transfer=one.is_transfer,
                expires=_moment(one.expires),
            )
            for one in found.invited
        ]
        return answer(shapes.Everyone(members=members, invited=invited))

    @router.get(
        "/api/projects/<name>/history",
        policy=NO_STORE,
        terms=asking(),
        about=Operation(
            name="history",
            summary="What happened to a project",
            about="When, and by whom, the last first; for its owners and maintainers.",
            group=MANAGING,
            parameters=(BEFORE, LIMIT),
            answer=content(shapes.History),
        ),
    )
    async def history(self, request: Any, name: str) -> Answer:
        """A page of it."""
        before, limit = word(request, BEFORE), number(request, LIMIT)
        held = await self._held(request, name)
        page = await self.past.of_project(held.normalized, before=before, limit=limit)
        entries = [
            shapes.Entry(
                at=_moment(one.at),
                actor=one.actor,
                event=one.event,
                words=one.words,
                version=one.version,
                serial=one.serial,
                about=one.about,
            )
            for one in page.entries
        ]
        return answer(shapes.History(entries=entries, next=page.next))

    async def _held(self, request: Any, name: str) -> Held:
        """The project, for those who look after it, by something that is good for it."""
        held = await self.managing.project(request.identity, name)
        if not in_scope(request.identity, Permission.READ, project_id=held.id):
            # Of what is not for everybody it does not even say that it is there.
            raise NotForThisToken() if held.access is Access.PUBLIC else NotYours(name)
        if not is_granted(held.role, Permission.UPLOAD):
            raise NotToldTo(held.name)
        return held


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
