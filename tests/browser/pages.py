"""Every page there is, with something on it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from tests.browser.holdings import (
    CONFIRMING,
    PASSKEY,
    REGISTERING,
    RESETTING,
    SECOND_ADDRESS,
    SPENT,
    VERIFYING,
)
from tests.browser.people import ADA, IRIS, NEWCOMER, OTTO, VERA
from tests.browser.projects import LONG_NAME
from tests.support.archives import wheel_filename
from tests.support.service import PASSWORD


@frozen
class Shown:
    """A page to look at.

    Attributes:
        name: of its pictures.
        path: where it is.
        code: the status it is answered with.
        briefly: whether not every width is looked at in every scheme, for it is long, or like others.
        content: whether what a project says of itself is on it, which weighs what it weighs.
        by: who looks at it, of ``tests.browser.people``; empty for somebody nobody knows.
        sends: the action of the form on it that is sent as it is; what is looked at is the answer, which has
            that ``code``. Empty where no form is.
        fills: names and values of fields that are filled in before.
    """

    name: str
    path: str
    code: int = 200
    content: bool = False
    briefly: bool = False
    by: str = ""
    sends: str = ""
    fills: Sequence[tuple[str, str]] = ()

    def __str__(self) -> str:
        return self.name


PAGES: Sequence[Shown] = (
    Shown("home", "/"),
    Shown("search", "/search/"),
    Shown("search-words", "/search/?q=cheddar"),
    Shown("search-second-page", "/search/?q=cheddar&page=2"),
    Shown("search-classifier", "/search/?c=Framework+%3A%3A+Twisted"),
    Shown("search-filters", "/search/?q=cheese&c=Framework+%3A%3A+Twisted&python=3.12&wheels=1&o=date"),
    Shown("search-nothing", "/search/?q=weensleydale"),
    Shown("search-nothing-filtered", "/search/?q=cheddar&c=Framework+%3A%3A+Twisted&wheels=1"),
    Shown("classifiers", "/classifiers/", briefly=True),
    Shown("user", "/user/ada/", briefly=True),
    Shown("user-without-projects", "/user/grace/"),
    Shown("connect", "/connect/"),
    Shown("feeds", "/feeds/"),
    Shown("help", "/help/"),
    Shown("help-api", "/help/api/"),
    Shown("security", "/security/"),
    Shown("statistics", "/stats/"),
    Shown("accounts", "/help/accounts/"),
    Shown("project", "/project/wensleydale/", content=True),
    Shown("project-releases", "/project/wensleydale/releases/"),
    Shown("project-files", "/project/wensleydale/files/"),
    Shown("project-dependencies", "/project/wensleydale/dependencies/"),
    Shown("project-dependents", "/project/gromit/dependents/"),
    Shown("project-security", "/project/wensleydale/security/"),
    Shown("project-rst", "/project/gromit/", content=True),
    Shown("project-plain-text", "/project/crackers/", content=True),
    Shown("project-pre-releases", "/project/only-tasters/"),
    Shown("project-archived", "/project/old-cellar/"),
    Shown("project-quarantined", "/project/mouldy-batch/", code=404),
    Shown("project-all-yanked", "/project/taken-back/"),
    Shown("project-no-words", "/project/no-words/"),
    Shown("project-long-name", f"/project/{LONG_NAME}/"),
    Shown("project-long-name-files", f"/project/{LONG_NAME}/files/"),
    Shown("project-right-to-left", "/project/right-to-left/", content=True),
    Shown("project-wide", "/project/wide-things/", content=True),
    Shown("project-many-releases", "/project/many-releases/"),
    Shown("project-many-releases-all", "/project/many-releases/releases/", briefly=True),
    Shown("project-many-releases-last", "/project/many-releases/releases/?page=2", briefly=True),
    Shown("release-old", "/project/wensleydale/1.0/", content=True),
    Shown("release-old-files", "/project/wensleydale/1.0/files/"),
    Shown("release-old-dependencies", "/project/wensleydale/1.0/dependencies/"),
    Shown("release-old-security", "/project/wensleydale/1.0/security/"),
    Shown("release-yanked", "/project/wensleydale/1.1/", content=True),
    Shown("release-yanked-security", "/project/wensleydale/1.1/security/"),
    Shown("nobody-here", "/project/wensleydal/", code=404),
    Shown("no-release", "/project/wensleydale/7.7/", code=404),
    Shown("no-user", "/user/nobody-at-all/", code=404),
    Shown("no-page", "/nowhere/at/all/", code=404),
    Shown("sign-in", "/account/sign-in/?done=signed-out"),
    Shown("account", "/account/", by=ADA),
    Shown("register", "/account/register/"),
    Shown("register-sent", "/account/register/sent/", briefly=True),
    Shown("reset", "/account/reset/", briefly=True),
    Shown("reset-sent", "/account/reset/sent/", briefly=True),
    Shown("stale-link", f"/account/reset/{SPENT}", code=410, briefly=True),
    Shown("sign-in-refused", "/account/sign-in/", code=400, briefly=True, sends="/account/sign-in/"),
    Shown("second-factor", "/account/second-factor/", by=IRIS, briefly=True),
    Shown(
        "second-factor-refused",
        "/account/second-factor/",
        by=IRIS,
        code=400,
        briefly=True,
        sends="/account/second-factor/",
    ),
    Shown("confirm-waiting", "/account/confirm/?done=sent", by=VERA),
    Shown("confirm", f"/account/confirm/{CONFIRMING}", by=VERA),
    Shown("confirm-elsewhere", f"/account/confirm/{CONFIRMING}"),
    Shown("confirm-denied", "/account/confirm/denied/", briefly=True),
    Shown("confirm-over", f"/account/confirm/{SPENT}", code=410, briefly=True),
    Shown("register-refused", "/account/register/", code=400, briefly=True, sends="/account/register/"),
    Shown("register-confirm", f"/account/register/confirm/{REGISTERING}", briefly=True),
    Shown("reset-choose", f"/account/reset/{RESETTING}", briefly=True),
    Shown("verify", f"/account/verify/{VERIFYING}", by=ADA, briefly=True),
    Shown("account-new", "/account/?done=registered", by=NEWCOMER, briefly=True),
    Shown("account-emails", "/account/emails/?done=sent", by=ADA, briefly=True),
    Shown(
        "account-emails-refused", "/account/emails/", by=ADA, code=400, briefly=True, sends="/account/emails/"
    ),
    Shown("account-email", f"/account/emails/{SECOND_ADDRESS}/", by=ADA, briefly=True),
    Shown("account-password", "/account/password/", by=ADA, briefly=True),
    Shown("account-factors", "/account/factors/?done=passkey", by=OTTO, briefly=True),
    Shown("account-factors-none", "/account/factors/?why=operator", by=ADA, briefly=True),
    Shown("account-app", "/account/factors/app/", by=OTTO, briefly=True),
    Shown(
        "account-app-new",
        "/account/factors/app/",
        by=ADA,
        briefly=True,
        sends="/account/factors/app/begin/",
        fills=[("again", PASSWORD)],
    ),
    Shown("account-codes", "/account/factors/codes/", by=OTTO, briefly=True),
    Shown("account-passkey-new", "/account/factors/passkeys/new/", by=ADA, briefly=True),
    Shown("account-passkey", f"/account/factors/passkeys/{PASSKEY}/", by=OTTO, briefly=True),
    Shown("account-openid", "/account/openid/", by=ADA, code=404, briefly=True),
    Shown("openid-stale", "/account/openid/callback?code=x&state=y", code=404, briefly=True),
    Shown("openid-name", "/account/openid/name/", code=404, briefly=True),
    Shown("account-tokens", "/account/tokens/?done=revoked", by=ADA),
    Shown("account-tokens-none", "/account/tokens/", by=NEWCOMER, briefly=True),
    Shown("account-token-new", "/account/tokens/new/", by=ADA, briefly=True),
    Shown(
        "account-token-made",
        "/account/tokens/new/",
        by=OTTO,
        briefly=True,
        sends="/account/tokens/new/",
        fills=[("description", "laptop")],
    ),
    Shown("account-sessions", "/account/sessions/", by=ADA),
    Shown("account-log", "/account/log/", by=ADA),
    Shown("account-delete", "/account/delete/", by=ADA, briefly=True),
    Shown("manage", "/manage/?done=declined", by=ADA, briefly=True),
    Shown("manage-project", "/manage/gromit/", by=ADA, briefly=True),
    Shown("manage-nothing", "/manage/", by=OTTO, briefly=True),
    Shown("manage-releases", "/manage/wensleydale/releases/?done=yanked", by=ADA),
    Shown("manage-many-releases", "/manage/many-releases/releases/?page=2", by=ADA, briefly=True),
    Shown("manage-invited", "/manage/", by=NEWCOMER, briefly=True),
    Shown("manage-release", "/manage/wensleydale/releases/1.1/", by=ADA),
    Shown("manage-delete-release", "/manage/wensleydale/releases/1.1/delete/", by=ADA, briefly=True),
    Shown(
        "manage-delete-file",
        f"/manage/wensleydale/releases/1.1/files/{wheel_filename('wensleydale', '1.1')}/delete/",
        by=ADA,
        briefly=True,
    ),
    Shown(
        "manage-delete-refused",
        "/manage/wensleydale/releases/1.1/delete/",
        by=ADA,
        code=400,
        briefly=True,
        sends="/manage/wensleydale/releases/1.1/delete/",
    ),
    Shown("manage-long-name", f"/manage/{LONG_NAME}/releases/", by=ADA, briefly=True),
    Shown("manage-quarantined", "/manage/mouldy-batch/settings/", by=ADA, briefly=True),
    Shown("manage-people", "/manage/wensleydale/people/", by=ADA),
    Shown(
        "manage-people-refused",
        "/manage/wensleydale/people/",
        by=ADA,
        code=400,
        briefly=True,
        sends="/manage/wensleydale/people/",
    ),
    Shown("manage-remove", f"/manage/wensleydale/people/{IRIS}/remove/", by=ADA, briefly=True),
    Shown("manage-leave", "/manage/wensleydale/leave/", by=ADA, briefly=True),
    Shown("manage-transfer", "/manage/wensleydale/transfer/", by=ADA, briefly=True),
    Shown("manage-publishing", "/manage/wensleydale/publishing/", by=ADA, briefly=True),
    Shown("manage-history", "/manage/wensleydale/history/", by=ADA, briefly=True),
    Shown("manage-settings", "/manage/wensleydale/settings/", by=ADA),
    Shown("manage-rename", "/manage/wensleydale/settings/rename/", by=ADA, briefly=True),
    Shown("manage-delete", "/manage/wensleydale/settings/delete/", by=ADA, briefly=True),
    Shown("manage-nobody", "/manage/nobody-has-this/releases/", by=ADA, code=404),
    Shown("operate", "/admin/", by=OTTO),
    Shown("operate-accounts", "/admin/users/", by=OTTO, briefly=True),
    Shown("operate-account", "/admin/users/ada/", by=OTTO, briefly=True),
    Shown("operate-projects", "/admin/projects/", by=OTTO, briefly=True),
    Shown("operate-project", "/admin/projects/wensleydale/", by=OTTO, briefly=True),
    Shown("operate-quarantined", "/admin/projects/mouldy-batch/", by=OTTO, briefly=True),
    Shown("operate-names", "/admin/names/", by=OTTO, briefly=True),
    Shown("operate-legacy", "/admin/legacy/", by=OTTO, briefly=True),
    Shown("operate-log", "/admin/log/", by=OTTO, briefly=True),
    Shown("not-for-you", "/admin/", by=ADA, code=403),
)

REAL = ("twisted", "attrs", "boto3", "alembic", "packaging", "pygments")
"""Real projects whose pages are looked at, those of them that are here."""
