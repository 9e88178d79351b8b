"""What the pages share by which people manage a project: where they are, how they show it, how forms fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import unquote, urlencode

from attrs import field, frozen
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length

from pypi.domain.downloads import RECENT_DAYS
from pypi.domain.errors import NoSuchProject, ProjectMoved, Refusal, Unavailable
from pypi.domain.permissions import Permission, is_granted
from pypi.http.answer import SAFE, Answer, redirect
from pypi.http.refused import status_of
from pypi.http.terms import personal
from pypi.http.urls import quoted
from pypi.index.held import Held, NotYours
from pypi.publishing.holding import InQuarantine, MayNotManage
from pypi.web.personal import PersonalPages

MINE = "/manage/"

SEEING = personal(Permission.READ)
"""The terms of a page that everybody sees who is anything to the project: its question joins the role."""

OF_PEOPLE = {"leave": "people", "transfer": "people"}
"""Pages with an address of their own that belong to another."""

DONE = {
    "accepted": "You accepted. The project is among yours now.",
    "declined": "You declined.",
    "left": "You left the project.",
    "project-deleted": "The project was deleted.",
    "yanked": "Yanked. Installers leave these releases out from now on, unless asked for one exactly.",
    "unyanked": "Not yanked any more. Installers take these releases again.",
    "release-deleted": "The release was deleted, with all its files.",
    "file-deleted": "The file was deleted.",
    "invited": "Invited, by mail and on the page of their projects. The invitation is good for a week.",
    "withdrawn": "The invitation was withdrawn.",
    "role-changed": "The role was changed.",
    "removed": "Removed. They have no role in this project any more.",
    "offered": "Offered. The project is theirs as soon as they accept; until then all stays as it is.",
    "status": "The status is set. Pages and installers say so from now on.",
    "reads": "It is set who may read the project.",
    "renamed": "Renamed. The old name leads here, for installers, too.",
}
"""Sentences on what was done, by the words in addresses."""


class ConfirmForm(Form):
    """What is to be typed before something is done that cannot be undone."""

    confirm = StringField("To confirm", [InputRequired("Type it, so that nothing is deleted by mistake.")])


class ReasonForm(Form):
    """A reason for people."""

    reason = StringField("Reason", [Length(max=1000, message="A reason has at most 1000 characters.")])


def manage_path(name: str, *segments: str) -> str:
    """The path of a page by which a project is managed.

    Args:
        name: as displayed.
        segments: what follows.
    """
    return "/".join((MINE.rstrip("/"), *map(quoted, (name, *segments)), ""))


def numbered(path: str, page: int, done: str = "") -> str:
    """The address of a page of a list, and what it is to say of what was done."""
    query = urlencode([*([("page", page)] if page > 1 else []), *([("done", done)] if done else [])])
    return f"{path}?{query}" if query else path


def permit(request: Any, held: Held, permission: Permission) -> None:
    """Make sure that a page is shown only to those who may do what it is about.

    Raises:
        MayNotManage: their role does not come with it.
        InQuarantine: it would change the project, and only the operator does so now.
    """
    if not is_granted(held.role, permission):
        raise MayNotManage(request.identity.name, held.name)
    if held.is_withheld and permission is Permission.MANAGE:
        raise InQuarantine(held.name)


async def tried(
    form: Form,
    act: Callable[[], Awaitable[object]],
    *,
    typed: str = "",
    at: str | Callable[[Refusal], str] = "",
) -> int:
    """Do what a form asks for.

    Args:
        typed: what has to stand in the field of a ``ConfirmForm``.
        at: the field that a refusal is shown at, or how that follows from it; empty for the form as a whole.

    Returns:
        0 where it was done; else the status of the page that shows the form once more, with what is wrong.

    Raises:
        NotYours, ProjectMoved, Unavailable: there is no page to show it on.
    """
    if not form.validate():
        return 400
    if isinstance(form, ConfirmForm) and (form.confirm.data or "").strip() != typed:
        wrong(form, f"This is not {typed}. Nothing was done.", "confirm")
        return 400
    try:
        await act()
    except (ProjectMoved, Unavailable):
        raise
    except NoSuchProject as nothing:
        raise NotYours(nothing.name) from None
    except Refusal as refusal:
        wrong(form, str(refusal), at(refusal) if callable(at) else at)
        return status_of(refusal)
    return 0


def wrong(form: Form, sentence: str, at: str = "") -> None:
    """Say what is wrong with a field, or with the form as a whole."""
    if at:
        form[at].errors = [*form[at].errors, sentence]
    else:
        form.form_errors.append(sentence)


@frozen(kw_only=True, eq=False)
class Desk:
    """Shows pages about one project to those who have a role in it.

    Attributes:
        counts: whether downloads are counted.
    """

    pages: PersonalPages = field(repr=False)
    counts: bool = True

    def page(
        self, request: Any, template: str, held: Held, *segments: str, code: int = 200, **values: Any
    ) -> Answer:
        """A page as an answer; for another spelling of its address, where it is.

        Args:
            segments: of its path, behind the name.
        """
        path = manage_path(held.name, *segments)
        if request.method in SAFE and unquote(path) != request.text_path:
            query = request.uri.partition(b"?")[2].decode("ascii", "replace")
            return redirect(f"{path}?{query}" if query else path, 302)
        return self.pages.page(
            request,
            f"manage/{template}.html",
            code=code,
            counts=self.counts,
            days=RECENT_DAYS,
            done=DONE,
            held=held,
            links=_links(held),
            manage_path=manage_path,
            tab=manage_path(held.name, OF_PEOPLE.get(segments[0], segments[0])),
            **values,
        )


def _links(held: Held) -> Sequence[tuple[str, str, int | None]]:
    """(word, path, how many) of the pages somebody may see."""
    found: list[tuple[str, str, int | None]] = [
        ("Releases", manage_path(held.name, "releases"), held.releases),
        ("People", manage_path(held.name, "people"), held.people if held.may_upload else None),
    ]
    if held.may_upload:
        found.append(("Publishing", manage_path(held.name, "publishing"), None))
        found.append(("History", manage_path(held.name, "history"), None))
    if held.may_own:
        found.append(("Settings", manage_path(held.name, "settings"), None))
    return found
