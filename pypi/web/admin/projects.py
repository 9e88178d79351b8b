"""``/admin/projects/``: any project, quarantine, and names that nobody may take."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from attrs import frozen
from wtforms import Form, HiddenField, StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.again import Again
from pypi.accounts.audit import Kind
from pypi.domain.errors import Refusal
from pypi.domain.names import normalize
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.index.overseen import PAGE, RELEASES, Overseen
from pypi.index.past import Past
from pypi.publishing.kept_names import KeptNames
from pypi.publishing.quarantine import Quarantines
from pypi.publishing.yank import LONGEST_REASON
from pypi.web.admin import asked
from pypi.web.admin.overview import OPERATORS, SHOW_FIRST, doing
from pypi.web.personal import PERSONAL, PersonalPages, after, filled, page_number

DONE = {
    **SHOW_FIRST,
    "quarantined": "It is in quarantine: nothing of it is listed or handed out any more, by any cache.",
    "cleared": "The quarantine is over.",
    "prohibited": "Nobody can begin a project of that name.",
    "allowed": "The name can be taken again.",
    "freed": "The name of the deleted project can be taken by anybody.",
    "restored": "That account can take the name of the deleted project.",
}


class QuarantineForm(Form):
    """What is put into quarantine, or taken out: all of a project where no version is said."""

    version = HiddenField(validators=[Length(max=200)])
    reason = StringField("Reason", [Length(max=LONGEST_REASON)])


class NameForm(Form):
    """A name of projects."""

    name = StringField("Name", [InputRequired("Enter a name."), Length(max=200)])
    reason = StringField("Reason", [Length(max=LONGEST_REASON)])


class RestoreForm(Form):
    """The name of a project that was deleted, and who may have it."""

    name = StringField("Name of the deleted project", [InputRequired("Enter a name."), Length(max=200)])
    user = StringField("User name", [Length(max=100)])


@frozen(kw_only=True, eq=False)
class OperateProjects:
    """Shows any project to those who run the index, and quarantines it."""

    router: ClassVar[Router] = Router()
    pages: PersonalPages
    overseen: Overseen
    past: Past
    quarantines: Quarantines
    kept_names: KeptNames
    again: Again

    @router.get("/admin/projects/", policy=PERSONAL, terms=OPERATORS)
    async def projects(self, request: Any) -> Answer:
        """A list, of all or of what is looked for: ``?q=``, ``?withheld=1``, ``?page=``."""
        words = asked.word(request, "q")
        only = asked.word(request, "withheld") == "1"
        found = await self.overseen.look_for(words, page=page_number(request), only_withheld=only)
        same = {"q": words, "withheld": "1" if only else ""}
        return self.pages.page(
            request,
            "admin/projects.html",
            done=DONE,
            projects=found[:PAGE],
            words_asked=words,
            only_withheld=only,
            **asked.turning(request, same, is_more=len(found) > PAGE),
        )

    @router.get("/admin/projects/<name>/", policy=PERSONAL, terms=OPERATORS)
    async def project(self, request: Any, name: str) -> Answer:
        """One project: its state, its releases, its people, what happened to it."""
        return await self._shown(request, name, QuarantineForm())

    # Malware does not wait until somebody has found a telephone: to withhold takes the session alone. To
    # offer it again takes more.
    @router.post("/admin/projects/<name>/quarantine/", terms=doing(Kind.PROJECT_STATUS, at_once=True))
    async def quarantine(self, request: Any, name: str) -> Answer:
        """Offer nothing of a project, or of one release."""
        form = filled(QuarantineForm, request)
        try:
            if form.validate():
                version, reason = form.version.data or None, (form.reason.data or "").strip()
                await self.quarantines.begin(
                    request.identity, name, version, reason, address=request.caller.address
                )
                return after(_path(name), "quarantined")
        except Refusal as refusal:
            form.reason.errors = [str(refusal)]
        return await self._shown(request, name, form, 400)

    @router.post("/admin/projects/<name>/clear/", terms=doing(Kind.PROJECT_STATUS))
    async def clear(self, request: Any, name: str) -> Answer:
        """Offer it again."""
        version = filled(QuarantineForm, request).version.data or None
        await self.quarantines.clear(request.identity, name, version, address=request.caller.address)
        return after(_path(name), "cleared")

    @router.get("/admin/names/", policy=PERSONAL, terms=OPERATORS)
    async def names(self, request: Any) -> Answer:
        """Names nobody may take, and the way back for deleted ones."""
        return await self._names(request, NameForm(), RestoreForm())

    @router.post("/admin/names/prohibit/", terms=doing(Kind.NAME_PROHIBITED, at_once=True))
    async def prohibit(self, request: Any) -> Answer:
        """Let nobody begin a project of a name."""
        form = filled(NameForm, request)
        try:
            if form.validate():
                name, reason = (form.name.data or "").strip(), (form.reason.data or "").strip()
                await self.kept_names.prohibit(request.identity, name, reason, address=request.caller.address)
                return after("/admin/names/", "prohibited")
        except Refusal as refusal:
            form.name.errors = [str(refusal)]
        return await self._names(request, form, RestoreForm(), 400)

    @router.post("/admin/names/allow/", terms=doing(Kind.NAME_ALLOWED))
    async def allow(self, request: Any) -> Answer:
        """Let it be taken again."""
        name = filled(NameForm, request).name.data or ""
        await self.kept_names.allow(request.identity, name, address=request.caller.address)
        return after("/admin/names/", "allowed")

    @router.post("/admin/names/restore/", terms=doing(Kind.PROJECT_RESTORED))
    async def restore(self, request: Any) -> Answer:
        """Give the name of a deleted project to an account, or set it free where none is named."""
        form = filled(RestoreForm, request)
        try:
            if form.validate():
                return after("/admin/names/", await self._restore(request, form))
        except Refusal as refusal:
            form.name.errors = [str(refusal)]
        return await self._names(request, NameForm(), form, 400)

    async def _restore(self, request: Any, form: RestoreForm) -> str:
        name, user = (form.name.data or "").strip(), (form.user.data or "").strip()
        address = request.caller.address
        if not user:
            await self.kept_names.free(request.identity, name, address=address)
            return "freed"
        await self.kept_names.restore(request.identity, name, user, address=address)
        return "restored"

    async def _shown(self, request: Any, name: str, form: QuarantineForm, code: int = 200) -> Answer:
        project = await self.overseen.look_at(name, page=page_number(request))
        past = await self.past.of_project(name, before=asked.word(request, "before"), for_operators=True)
        return self.pages.page(
            request,
            "admin/project.html",
            code=code,
            done=DONE,
            project=project.line,
            releases=project.releases[:RELEASES],
            people=project.people,
            past=past,
            form=form,
            lately=self.again.is_recent(request.session),
            **asked.turning(request, {}, is_more=len(project.releases) > RELEASES),
        )

    async def _names(self, request: Any, form: NameForm, restoring: RestoreForm, code: int = 200) -> Answer:
        found = await self.kept_names.prohibited(after=asked.word(request, "after"))
        return self.pages.page(
            request,
            "admin/names.html",
            code=code,
            done=DONE,
            names=found,
            form=form,
            restoring=restoring,
            lately=self.again.is_recent(request.session),
        )


def _path(name: str) -> str:
    return f"/admin/projects/{quote(normalize(name), safe='')}/"
