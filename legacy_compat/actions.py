"""``/pypi?:action=…``: what each action asks for today, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from legacy_compat import trove
from legacy_compat.people import ACCOUNT, PROJECTS, REGISTER, RESET, SIGN_IN
from legacy_compat.questions import (
    Digest,
    Document,
    Gone,
    Malformed,
    Missing,
    Page,
    Project,
    Question,
    Text,
)
from legacy_compat.spelling import Parameters, name_of

KEY = ":action"
TWICE = ("%3Aaction", "%3aaction")
"""The key as feed readers sent it who escaped it twice; only what reads is understood so."""

SINGLE = ("name", "version", "digest")
"""Parameters that may not contradict themselves."""

MOST_CLASSIFIERS = 8

Read = Callable[[str, Parameters], Question]


def _project(fragment: str = "") -> Read:
    def read(feature: str, given: Parameters) -> Question:
        name, version = name_of(given.first("name") or ""), given.first("version")
        if name is None:
            return Missing(feature=feature)
        if version == "json" and not fragment:
            return Document(feature=feature, name=name)
        return Project(feature=feature, name=name, version=version, fragment=fragment)

    return read


def _document(feature: str, given: Parameters) -> Question:
    name = name_of(given.first("name") or "")
    if name is None:
        return Missing(feature=feature)
    return Document(feature=feature, name=name, version=given.first("version"))


def _search(feature: str, given: Parameters) -> Question:
    terms = given.all("term")
    return Page(feature=feature, path="/search/", query=(("q", " ".join(terms)),) if terms else ())


def _browse(feature: str, given: Parameters) -> Question:
    numbers = given.all("c")
    if len(numbers) > MOST_CLASSIFIERS:
        return Malformed(feature=feature)
    names = trove.named(numbers)
    if numbers and not names:
        return Missing(feature=feature)
    return Page(feature=feature, path="/search/", query=tuple(("c", name) for name in names))


def _show_md5(feature: str, given: Parameters) -> Question:
    digest = (given.first("digest") or "").lower()
    if len(digest) != 32 or not set(digest) <= set("0123456789abcdef"):
        return Missing(feature=feature)
    return Digest(feature=feature, md5=digest)


def _user(feature: str, given: Parameters) -> Question:
    if given.first("otk") is not None:
        return Gone(feature=feature)
    return Page(feature=feature, path=REGISTER)


def _page(path: str) -> Read:
    return lambda feature, _: Page(feature=feature, path=path)


def _gone(feature: str, given: Parameters) -> Question:
    return Gone(feature=feature)


def _missing(feature: str, given: Parameters) -> Question:
    return Missing(feature=feature)


def _classifiers(feature: str, given: Parameters) -> Question:
    return Text(feature=feature, what="classifiers")


def _publishing(feature: str, given: Parameters) -> Question:
    return Gone(feature=feature, publishing=True)


READS: Mapping[str, Read] = {
    "home": _page("/"),
    "about": _page("/"),
    "index": _page("/simple/"),
    "display": _project(),
    "files": _project(fragment="files"),
    "display_pkginfo": _document,
    "json": _document,
    "doap": _gone,
    "search": _search,
    "search_form": _missing,
    "browse": _browse,
    "show_md5": _show_md5,
    "list_classifiers": _classifiers,
    "rss": _page("/rss/updates.xml"),
    "packages_rss": _page("/rss/packages.xml"),
    "lasthour": _page("/rss/updates.xml"),
}
"""Actions that read: by GET, or not at all."""

ACCOUNTS: Mapping[str, Read] = {
    **dict.fromkeys(("login", "login_form", "openid", "claim"), _page(SIGN_IN)),
    **dict.fromkeys(("logout", "clear_auth"), _page("/")),
    "register_form": _page(REGISTER),
    "user_form": _page(ACCOUNT),
    "forgotten_password_form": _page(RESET),
    **dict.fromkeys(("role_form", "pkg_edit", "submit_form", "urls"), _page(PROJECTS)),
}
"""Actions of people with an account: pages have taken their place, and nothing of the query goes there."""

REGISTRATION: Mapping[str, Read] = {
    "user": _user,
    "forgotten_password": _page(RESET),
    "password_reset": _page(RESET),
}
"""Actions that old tools also send as forms; those are gone."""

PUBLISHING = frozenset({"file_upload", "submit", "submit_pkg_info", "doc_upload", "verify"})
"""Actions of upload tools."""

GONE = frozenset(
    "pw_reset pw_reset_change role doc_destroy remove_pkg delete_user addkey delkey dropid rate comment "
    "addcomment delcomment openid_return openid_discovery openid_user openid_endpoint openid_decide_post "
    "purge gae_file rss_regen exception debug".split()
)
"""Actions that are gone whoever asks, and however."""

_ALL: Mapping[str, Read] = {
    **READS,
    **ACCOUNTS,
    **REGISTRATION,
    **dict.fromkeys(PUBLISHING, _publishing),
    **dict.fromkeys(GONE, _gone),
}


def asked(given: Parameters, home: str = "legacy.home") -> Question:
    """What a GET of ``/pypi`` with these parameters asks for.

    Args:
        home: the feature that counts it where there is no action.
    """
    action, contradiction = action_of(given)
    if contradiction:
        return Malformed(feature=home)
    if action is None:
        return Page(feature=home, path="/")
    feature = feature_of(action)
    if given.contradict(SINGLE):
        return Malformed(feature=feature)
    return _ALL.get(action, _missing)(feature, given)


def action_of(given: Parameters) -> tuple[str | None, bool]:
    """(the action, whether there are several that differ)."""
    actions = set(given.all(KEY))
    if not actions:
        actions = {action for key in TWICE for action in given.all(key)} & READS.keys()
    return (None, True) if len(actions) > 1 else (next(iter(actions), None), False)


def feature_of(action: str) -> str:
    """The name of the feature an action is."""
    return f"legacy.action.{action if action in _ALL else 'other'}"
