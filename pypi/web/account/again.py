"""A field in which one proves again that it is oneself, for forms that change an account.

A template calls ``again(form, asked, path)`` of ``account/again.html`` within the form, where ``asked`` is
``Again.asks`` and ``path`` is the page's: where no password will do, it leads elsewhere first, and back.
"""

from __future__ import annotations

from typing import Any

from wtforms import Form, PasswordField
from wtforms.validators import Length

from pypi.accounts.again import Again, NotAgain, ProveFirst
from pypi.accounts.passwords import MAX_LENGTH
from pypi.accounts.sessions import Started
from pypi.web.door import Cookies


class AgainForm(Form):
    """Base of forms that only the owner of an account may send, and not whoever sits at the browser."""

    again = PasswordField("Your password", [Length(max=MAX_LENGTH)])


async def is_proven(again: Again, form: AgainForm, request: Any) -> bool:
    """Whether it is them; if not, the form says so.

    Raises:
        Throttled, SessionOver: as ``Again.check``.
    """
    try:
        await again.check(request.session, form.again.data or "", address=request.caller.address)
    except NotAgain as refusal:
        form.again.errors = [str(refusal)]
        return False
    except ProveFirst as refusal:
        form.form_errors = [str(refusal)]
        return False
    return True


def cookie_of(cookies: Cookies, started: Started) -> tuple[str, str]:
    """The header that has a browser keep the other secret that its session was given."""
    session = started.session
    seconds = int((session.expires - session.created).total_seconds())
    return cookies.session.header(started.secret, seconds=seconds)
