"""Features: what an index offers beside its pages, each with a name to count it by, and to switch it off by.

A name is dotted: its first part is the family (``xmlrpc``, ``legacy``, ``json`` …), and ``xmlrpc.*`` means
all of one. Every name that is counted or checked anywhere stands in ``FEATURES``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from pypi.domain.errors import Gone

SIMPLE = "Use the simple index, /simple/."
JSON = "Use the JSON API, /pypi/<name>/json."
SEARCH = "Use the search page, /search/."
CHANGES = "Use the change feed, /api/changes."
PAGE = "Use the page of the project, /project/<name>/."
UPLOAD = "Publish to /legacy/ with a current tool, such as twine or uv."
WEB = "Use the pages of this index in a browser."
NOTHING = "Nothing has taken its place."


@frozen
class Feature:
    """Something that is counted, and can be switched off.

    Attributes:
        name: dotted, lower-case but for method names of XML-RPC.
        title: what it is, fit to begin a sentence.
        replacement: a whole sentence: what to use in its place.
    """

    name: str
    title: str
    replacement: str


@frozen
class SwitchedOff(Gone):
    """The operator has switched this feature off (410; in XML-RPC a fault)."""

    feature: Feature

    def __str__(self) -> str:
        return f"{self.feature.title} is switched off on this index. {self.feature.replacement}"


_FORMATS = (
    Feature("simple.html", "The simple index in HTML", "Ask for application/vnd.pypi.simple.v1+json."),
    Feature("simple.json", "The simple index in JSON", "Ask for text/html."),
    Feature("json.project", "The JSON API of projects", SIMPLE),
    Feature("json.release", "The JSON API of releases", SIMPLE),
    Feature("feeds.updates", "The feed of new releases", CHANGES),
    Feature("feeds.packages", "The feed of new projects", CHANGES),
    Feature("feeds.project", "The feed of a project", CHANGES),
    Feature("changes.list", "The list of changes", SIMPLE),
    Feature("changes.wait", "Waiting for changes", "Ask /api/changes without wait."),
    Feature("changes.stream", "The stream of changes", CHANGES),
)

_METHODS: Mapping[str, str] = {
    "search": SEARCH,
    "browse": SEARCH,
    "list_packages": SIMPLE,
    "list_packages_with_serial": "Ask /simple/ for JSON: it has the serial of every project.",
    "package_releases": JSON,
    "release_urls": JSON,
    "package_urls": JSON,
    "release_data": JSON,
    "package_data": JSON,
    "package_roles": JSON,
    "user_packages": WEB,
    "package_hosting_mode": NOTHING,
    "release_downloads": NOTHING,
    "top_packages": NOTHING,
    "post_cheesecake_for_release": NOTHING,
    "changelog": CHANGES,
    "changelog_since_serial": CHANGES,
    "changelog_last_serial": CHANGES,
    "updated_releases": CHANGES,
    "changed_packages": CHANGES,
    "system.multicall": "Make each call by itself.",
    "system.listMethods": NOTHING,
    "system.methodHelp": NOTHING,
    "system.methodSignature": NOTHING,
}
"""Every method of XML-RPC that ever was → what to use in its place."""

_URLS = (
    Feature("legacy.home", "The old address of the front page, /pypi", "Use /."),
    Feature("legacy.cgi", "The address /cgi-bin/pypi.cgi", "Use /."),
    Feature("legacy.project", "The old address of projects, /pypi/<name>", PAGE),
    Feature("legacy.part", "The old address /pypi/<name>/<version>/<part>", PAGE),
    Feature("legacy.short", "The short address of a project or user", PAGE),
    Feature("legacy.json", "The old spelling of an address of the JSON API", JSON),
    Feature("legacy.doap", "The description of projects as DOAP", JSON),
    Feature("legacy.simple", "The old spelling of an address of the simple index", SIMPLE),
    Feature("legacy.files", "The predictable address of a file", "Use the addresses in /simple/<name>/."),
    Feature("legacy.file_lists", "The list of files in a folder", SIMPLE),
    Feature("legacy.signatures", "The address of a signature", NOTHING),
    Feature("legacy.docs", "The old host of documentation", "Ask the project where its documentation is."),
    Feature("legacy.hosts", "An old host name of this index", "Use the URL of this index."),
    Feature("legacy.mirrors", "The protocol of old mirrors (PEP 381)", CHANGES),
    Feature("legacy.statistics", "The address of old statistics", NOTHING),
    Feature("legacy.openid", "Signing in by OpenID", WEB),
    Feature("legacy.oauth", "Access by OAuth", "Use API tokens."),
    Feature("legacy.pages", "The old address of a page", WEB),
    Feature("legacy.feeds", "The old address of a feed", "Use /rss/updates.xml or /rss/packages.xml."),
    Feature("legacy.upload", "Publishing to /pypi", UPLOAD),
    Feature("legacy.register", "Registering a project on /pypi", UPLOAD),
    Feature("legacy.docs_upload", "Publishing documentation", "Host it elsewhere, and link to it."),
)

_ACTIONS: Mapping[str, str] = {
    PAGE: "display files display_pkginfo urls",
    JSON: "json doap",
    SEARCH: "search search_form browse",
    SIMPLE: "index show_md5",
    "Use /rss/updates.xml or /rss/packages.xml.": "rss packages_rss lasthour rss_regen",
    "Use the classifiers that come with build tools.": "list_classifiers",
    UPLOAD: "file_upload submit submit_pkg_info verify",
    WEB: (
        "home about login login_form logout clear_auth register_form user user_form pw_reset pw_reset_change "
        "forgotten_password_form forgotten_password password_reset role_form pkg_edit submit_form"
    ),
    NOTHING: (
        "openid claim openid_return openid_discovery openid_user openid_endpoint openid_decide_post dropid "
        "role doc_destroy doc_upload remove_pkg delete_user addkey delkey rate comment addcomment delcomment "
        "purge gae_file exception debug other"
    ),
}
"""What to use in their place → the actions of ``/pypi?:action=``; ``other`` is what never was one."""


def _all() -> Iterator[Feature]:
    yield from _FORMATS
    for method, replacement in _METHODS.items():
        yield Feature(f"xmlrpc.{method}", f"The XML-RPC method {method}", replacement)
    yield Feature("xmlrpc.other", "A method that XML-RPC never had", NOTHING)
    yield from _URLS
    for replacement, actions in _ACTIONS.items():
        for action in actions.split():
            yield Feature(f"legacy.action.{action}", f"The address /pypi?:action={action}", replacement)


FEATURES: Mapping[str, Feature] = {feature.name: feature for feature in _all()}
"""Every feature, by its name."""
