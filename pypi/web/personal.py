"""Pages for one person: never kept by anybody, with forms that only they can send."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from attrs import evolve, field, frozen
from wtforms import Form
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from caching.policy import NO_STORE
from pypi.http import csrf
from pypi.http.answer import Answer, redirect
from pypi.http.next_path import next_path
from pypi.web.templates import Templates

PERSONAL = NO_STORE
"""The policy of such pages."""

HIGHEST_PAGE = 10_000
"""Of lists."""

F = TypeVar("F", bound=Form)


class Filled(dict[str, list[str]]):
    """The fields of a form, as WTForms asks for them."""

    def getlist(self, name: str) -> list[str]:
        """All that was said in fields of a name."""
        return self.get(name, [])


@frozen(eq=False)
class PersonalPages:
    """Renders them.

    Their templates know, beside what all do: ``visitor``, who is signed in (an ``Identity``) or none;
    ``form_token``, for the hidden field of every form; ``done``, a sentence on what was done just now, or
    none.
    """

    templates: Templates
    random_bytes: Callable[[int], bytes] = field(repr=False)

    def page(
        self, request: Any, name: str, *, code: int = 200, done: Mapping[str, str] = {}, **values: Any
    ) -> Answer:
        """A page as an answer.

        Args:
            done: sentences by the words that ``after`` puts into addresses.
        """
        page = self.templates.page(
            name,
            code=code,
            visitor=request.identity,
            form_token=csrf.token(request.secret, self.random_bytes),
            done=done.get(given(request, "done")),
            **values,
        )
        # An address of these pages may hold a secret that was sent by mail; no other site is told of it.
        headers = tuple(one for one in page.headers if one[0] != "Referrer-Policy")
        return evolve(page, headers=(*headers, ("Referrer-Policy", "same-origin")))

    def secret_page(self, request: Any, name: str, **values: Any) -> Answer:
        """A page whose address holds a secret, or may: not even our own log is told of it by what it loads.

        The origin alone has to be told: without, browsers would not say of its forms that they are ours.
        """
        page = self.page(request, name, **values)
        headers = tuple(one for one in page.headers if one[0] != "Referrer-Policy")
        return evolve(page, headers=(*headers, ("Referrer-Policy", "strict-origin")))


def filled(form: type[F], request: Any, **more: Any) -> F:
    """A form as it was filled in.

    Args:
        more: what it is made with besides, such as ``data`` of fields that nobody sent.
    """
    found: F = form(Filled(request.form.fields), **more)
    return found


def choices(offered: Iterable[tuple[str, str]]) -> list[Any]:
    """What one chooses from, as WTForms takes it: values, each with what people call it."""
    return [SelectChoice(value, label) for value, label in offered]


def given(request: Any, name: str) -> str:
    """A parameter of the address, the first of its name; empty where it is not there."""
    found: list[bytes] = request.args.get(name.encode()) or [b""]
    return found[0].decode("utf-8", "replace")


def page_number(request: Any) -> int:
    """Which page of a list is meant, from 1; the first by any nonsense."""
    text = given(request, "page")
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(HIGHEST_PAGE))):
        return 1
    return min(max(1, int(text)), HIGHEST_PAGE)


def given_next(request: Any) -> str:
    """Where somebody wanted to go before they were led here; empty where nobody says, or it is not ours."""
    return next_path(given(request, "next"), "")


def after(path: str, done: str = "", *cookies: tuple[str, str]) -> Answer:
    """Show a page with GET after a form was taken, so that loading it again sends nothing twice.

    Args:
        path: of ours.
        done: the word for what was done, if the page is to say so.
        cookies: headers that set them.
    """
    answer = redirect(f"{path}?done={done}" if done else path, 303)
    return evolve(answer, headers=(*answer.headers, *cookies))
