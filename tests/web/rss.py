"""What is wrong with a feed: the rules of RSS 2.0, and what validators of feeds complain about beyond them.

Source: rssboard.org's specification 2.0.11 and its best practices profile; RFC 822 with RFC 1123's years.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

ATOM_LINK = "{http://www.w3.org/2005/Atom}link"
DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d GMT")
AUTHOR = re.compile(r"[^@\s,<>]+@[^@\s,<>]+( \([^()]+\))?")
URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
HTML = re.compile(r"<[a-zA-Z/!?]")

CHANNEL = ["title", "link", "description"]
OF_CHANNEL = {*CHANNEL, "language", "lastBuildDate", "item", ATOM_LINK}
OF_ITEM = {"title", "link", "guid", "description", "author", "pubDate"}


def complaints(body: bytes, url: str) -> list[str]:
    """Everything a validator would say of a feed; empty for a valid one.

    Args:
        url: where it was found.
    """
    root = ElementTree.fromstring(body)
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    return list(_of_root(root, url))


def _of_root(root: Element, url: str) -> Iterator[str]:
    if root.tag != "rss" or root.attrib != {"version": "2.0"} or [one.tag for one in root] != ["channel"]:
        yield f"{root.tag} {root.attrib}"
        return
    channel = root[0]
    yield from (f"no {name} in the channel" for name in CHANNEL if channel.find(name) is None)
    yield from _of_children(channel, OF_CHANNEL, {"item"})
    links = channel.findall(ATOM_LINK)
    if [one.attrib for one in links] != [{"href": url, "rel": "self", "type": "application/rss+xml"}]:
        yield f"its link to itself is {links}"
    items = channel.findall("item")
    for item in items:
        yield from _of_item(item)
    guids = [item.findtext("guid") for item in items]
    if len(set(guids)) != len(guids):
        yield "two items have one guid"


def _of_item(item: Element) -> Iterator[str]:
    yield from _of_children(item, OF_ITEM, set())
    if not item.findtext("title") and not item.findtext("description"):
        yield "an item without title and description"
    guid = item.find("guid")
    if guid is None:
        yield "an item without a guid"
    elif guid.get("isPermaLink", "true") == "true":
        yield from _of_url(guid.text or "")
    author = item.findtext("author")
    if author is not None and not AUTHOR.fullmatch(author):
        yield f"{author!r} is no author"
    if HTML.search(item.findtext("description") or ""):
        yield f"{item.findtext('description')!r} has markup that may not be meant"


def _of_children(element: Element, known: set[str], may_repeat: set[str]) -> Iterator[str]:
    names = [one.tag for one in element]
    yield from (f"nobody knows {name}" for name in names if name not in known)
    yield from (f"{name} twice" for name in set(names) - may_repeat if names.count(name) > 1)
    for child in element:
        if child.tag in ("pubDate", "lastBuildDate"):
            yield from _of_date(child.text or "")
        elif child.tag == "link":
            yield from _of_url(child.text or "")
        elif child.tag == "title" and (not child.text or HTML.search(child.text)):
            yield f"{child.text!r} is no title"


def _of_date(text: str) -> Iterator[str]:
    if not DATE.fullmatch(text):
        yield f"{text!r} is no date of RFC 822"
    elif parsedate_to_datetime(text).strftime("%a") != text[:3]:
        yield f"{text!r} was another day of the week"


def _of_url(text: str) -> Iterator[str]:
    if urlsplit(text).scheme not in ("http", "https") or not URL_CHARACTERS.fullmatch(text):
        yield f"{text!r} is no URL"
