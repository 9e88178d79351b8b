"""The documents as XML: RSS 2.0 (rssboard.org), sitemaps (sitemaps.org), OpenSearch 1.1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, getaddresses
from html import escape as escape_html
from html import unescape
from xml.sax.saxutils import escape

from pypi.http.urls import project_path, quoted, release_path
from pypi.index.feeds import Item, Place

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
RSS = '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">'
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"

_IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document can have, not even escaped (XML 1.0 §2.2)."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def text(value: str) -> str:
    """Text as the content of an element or of a quoted attribute, without what XML cannot say."""
    return escape(_IMPOSSIBLE.sub("", value), {'"': "&quot;"})


def project_url(origin: str, normalized: str) -> str:
    """A project's page, by the name that stays whatever way it is spelled; it leads to the other."""
    return origin + project_path(normalized)


def release_url(origin: str, item: Item) -> str:
    """A release's page."""
    return origin + release_path(item.normalized, item.version)


# RSS


def updates(items: Sequence[Item], origin: str) -> bytes:
    """The newest releases of all projects."""
    head = _head(origin, "/rss/updates.xml", "Recent updates", "The newest releases on this index")
    return _rss(
        head, items, (_entry(f"{one.name} {one.version}", release_url(origin, one), one) for one in items)
    )


def packages(items: Sequence[Item], origin: str) -> bytes:
    """The newest projects."""
    head = _head(origin, "/rss/packages.xml", "Newest packages", "The newest projects on this index")
    return _rss(
        head, items, (_entry(f"{one.name} added", project_url(origin, one.normalized), one) for one in items)
    )


def releases(name: str, normalized: str, items: Sequence[Item], origin: str) -> bytes:
    """The newest releases of one project."""
    head = _head(
        origin,
        f"/rss/project/{quoted(normalized)}/releases.xml",
        f"Recent updates for {name}",
        f"The newest releases of {name}",
        project_url(origin, normalized),
    )
    return _rss(head, items, (_entry(one.version, release_url(origin, one), one) for one in items))


def _head(origin: str, path: str, title: str, description: str, link: str = "") -> str:
    return (
        f"    <title>{text(title)}</title>\n    <link>{text(link or origin + '/')}</link>\n"
        f"    <description>{text(description)}</description>\n    <language>en</language>\n"
        f'    <atom:link href="{text(origin + path)}" rel="self" type="application/rss+xml"/>\n'
    )


def _rss(head: str, items: Sequence[Item], entries: Iterable[str]) -> bytes:
    built = ""
    if items:
        built = f"    <lastBuildDate>{_date(max(one.created for one in items))}</lastBuildDate>\n"
    channel = f"  <channel>\n{head}{built}{''.join(entries)}  </channel>\n"
    return f"{DECLARATION}{RSS}\n{channel}</rss>\n".encode()


def _entry(title: str, url: str, item: Item) -> str:
    author = author_of(item.author_email)
    lines = [
        f"<title>{text(title)}</title>",
        f"<link>{text(url)}</link>",
        f'<guid isPermaLink="true">{text(url)}</guid>',
        f"<description>{text(as_html(item.summary))}</description>",
        f"<author>{text(author)}</author>" if author else "",
        f"<pubDate>{_date(item.created)}</pubDate>",
    ]
    inner = "".join(f"      {line}\n" for line in lines if line)
    return f"    <item>\n{inner}    </item>\n"


def as_html(summary: str) -> str:
    """A summary, which is plain text, where readers expect HTML: only what they would misread is escaped."""
    plain = " ".join(summary.split())
    return escape_html(plain, quote=False) if "<" in plain or unescape(plain) != plain else plain


def author_of(author_email: str) -> str:
    """The address to name as an item's author, empty where there is none; RSS has room for one."""
    addresses = [address for _, address in getaddresses([author_email]) if address]
    if not all(_ADDRESS.fullmatch(address) for address in addresses):
        return ""
    return addresses[0] if addresses else ""


def _date(moment: datetime) -> str:
    """As RFC 822 has it, with the four digits of RFC 1123."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


# Sitemaps


def sitemap_index(buckets: Iterable[Place], origin: str) -> bytes:
    """All sitemaps."""
    entries = (_place("sitemap", f"{origin}/{one.name}.sitemap.xml", one.changed) for one in buckets)
    return f'{DECLARATION}<sitemapindex xmlns="{SITEMAPS}">\n{"".join(entries)}</sitemapindex>\n'.encode()


def sitemap(places: Iterable[Place], origin: str) -> bytes:
    """The pages of some projects."""
    return b"".join(_sitemap(places, origin))


def _sitemap(places: Iterable[Place], origin: str) -> Iterator[bytes]:
    yield f'{DECLARATION}<urlset xmlns="{SITEMAPS}">\n'.encode()
    for one in places:
        yield _place("url", project_url(origin, one.name), one.changed).encode()
    yield b"</urlset>\n"


def _place(element: str, url: str, changed: datetime) -> str:
    moment = changed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"<{element}><loc>{text(url)}</loc><lastmod>{moment}</lastmod></{element}>\n"


# OpenSearch


def opensearch(origin: str) -> bytes:
    """How browsers search the index."""
    return (
        f'{DECLARATION}<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">\n'
        "  <ShortName>Cheeseshop</ShortName>\n  <Description>Search this package index</Description>\n"
        "  <InputEncoding>UTF-8</InputEncoding>\n"
        f'  <Image width="16" height="16" type="image/x-icon">{text(origin)}/favicon.ico</Image>\n'
        f'  <Url type="text/html" method="get" template="{text(origin)}/search/?q={{searchTerms}}"/>\n'
        "</OpenSearchDescription>\n"
    ).encode()
