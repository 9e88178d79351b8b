"""Messages: a letter says the same in text and in HTML, and nobody's words become headers or links."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest
from selectolax.lexbor import LexborHTMLParser

import templates
from pypi.mail.letters import LETTERS, Letter, ResetPassword
from pypi.mail.mailer import Message, Refused
from pypi.mail.messages import POLICY, WIDTH, Messages, checked
from pypi.mail.post import NoLetter, Posted
from tests.support.mail import part, read

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)

ORIGIN = "https://pkg.example"

PATH = f"/account/reset/{'a-Z_9' * 9}"

VALUES = {
    "user": "ada",
    "path": PATH,
    "wanted": "ada2",
    "project": "Wensleydale.Tools",
    "by": "grace",
    "new": "gorgonzola",
    "owner": "linus",
    "role": "maintainer",
    "reason": "its last release steals passwords",
    "token": "laptop",
    "scope": "publish Wensleydale.Tools",
    "factor": "passkey “desk”",
    "provider": "Staff",
    "called": "ada.lovelace",
    "address": "192.0.2.7",
    "agent": "Firefox on Linux",
}

HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
    *("MIME-Version", "Content-Type", "List-Id"),
}

EVIL = [
    "x\r\nBcc: eve@evil.example",
    "x\nSubject: other",
    "x\r\n\r\n<h1>body</h1>",
    "x\rBcc: eve@evil.example",
    "x\u2028Bcc: eve@evil.example",
    "x\x85Bcc: eve@evil.example",
    "x\x00\x1b[31m\x0b\x0c",
    "=?utf-8?q?=0D=0ABcc:_eve@evil.example?=",
    "<script>alert(1)</script><a href=//evil.example>",
    "\u202egpj.exe http://evil.example/ www.evil.example",
    "{{ 7 * 7 }} {% include 'x' %} {user.__class__}",
    '"><img src=x onerror=alert(1)>, <eve@evil.example>',
    "ключ " * 100,
    "a" * 10_000,
]


@cache
def messages(**more: str) -> Messages:
    """What writes, for an index."""
    return Messages(**{"origin": ORIGIN, "index": "Käse & Söhne", **more})


def letter(name: str, **more: str) -> Letter:
    """A letter with every field filled in."""
    cls = LETTERS[name]
    return cls(**{one.name: more.get(one.name, VALUES[one.name]) for one in attrs.fields(cls)})


def written(wanted: Letter, to: str = "ada@people.example", **more: str) -> Message:
    """A letter as a message."""
    posted = Posted(letter=wanted, to=to, at=NOW, until=NOW + timedelta(days=1))
    return messages(**more).write(posted, number=7)


@cache
def normal(name: str) -> EmailMessage:
    """A letter that says what letters should, as it arrives."""
    return read(written(letter(name)).data)


def words(text: str) -> list[str]:
    """The words of a text, however it is broken into lines."""
    return text.split()


def test_every_letter_has_its_words_and_no_other_is_there() -> None:
    """There are two templates for each letter, besides what all share."""
    folder = Path(str(templates.__file__)).parent / "mail"
    shared = {"base.txt", "base.html", "parts.html"}
    wanted = {f"{name}.{kind}" for name in LETTERS for kind in ("txt", "html")}
    assert {one.name for one in folder.iterdir()} == wanted | shared


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_as_mail(name: str) -> None:
    """Every letter has the headers of automatic mail and both forms, in ASCII and in short lines."""
    made = written(letter(name))
    message = read(made.data)
    assert made.data.isascii()
    assert b"\r" not in made.data
    assert max(map(len, made.data.split(b"\n"))) <= 100
    assert set(message.keys()) <= HEADERS
    assert message.defects == []
    assert message["From"].addresses[0].display_name == "Käse & Söhne"
    assert message["To"] == "ada <ada@people.example>"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<7\.[0-9.]+\.mail@pkg\.example>", message["Message-ID"])
    assert ("List-Id" in message) == hasattr(letter(name), "project")
    assert message.get_content_type() == "multipart/alternative"
    assert [one.get_content_type() for one in message.iter_parts()] == ["text/plain", "text/html"]
    assert "Käse & Söhne" in message["Subject"]
    assert (made.sender, made.to) == ("cheeseshop@pkg.example", "ada@people.example")


@pytest.mark.parametrize("name", LETTERS)
def test_both_forms_say_the_same(name: str) -> None:
    """The text has the words of the page, every field of the letter, and the same links."""
    message, wanted = normal(name), letter(name)
    text, page = part(message, "plain"), LexborHTMLParser(part(message, "html"))
    assert page.body is not None
    for button in page.css(".button, h1"):
        button.decompose()
    shown = page.body.text(separator=" ").replace("Or paste this into your browser:", "")
    assert re.sub(r"\W+", " ", shown).split() == re.sub(r"\W+", " ", text).split()
    for one in attrs.fields(type(wanted)):
        assert VALUES[one.name] in " ".join(words(text)), one.name
    links = {one.attributes["href"] for one in page.css("a")}
    assert set(re.findall(r"https?://\S+", text)) == links
    assert all(str(one).startswith(f"{ORIGIN}/") for one in links)


@pytest.mark.parametrize("name", LETTERS)
def test_the_page(name: str) -> None:
    """The page has a language, a title, one heading, and fetches and runs nothing."""
    source = part(normal(name), "html")
    page = LexborHTMLParser(source)
    assert source.startswith("<!DOCTYPE html>")
    assert page.css_first("html").attributes["lang"] == "en"
    assert page.css_first("title").text() == page.css_first("h1").text()
    assert len(page.css("h1")) == len(page.css("main")) == 1
    assert page.css("script, img, link, iframe, form, object, base") == []
    assert "url(" not in source
    assert page.css_first("meta[name=color-scheme]").attributes["content"] == "light dark"
    opened = re.findall(r"<(main|dl|dt|dd|p|h1|a|footer|body)\b", source)
    closed = re.findall(r"</(main|dl|dt|dd|p|h1|a|footer|body)>", source)
    assert sorted(opened) == sorted(closed)


@pytest.mark.parametrize("name", LETTERS)
def test_text_is_narrow(name: str) -> None:
    """No line of the text is wider than a terminal, but for a link, which is never broken."""
    text = part(normal(name), "plain")
    wide = [line for line in text.splitlines() if len(line) > WIDTH and not line.strip().startswith(ORIGIN)]
    assert wide == []
    assert "\n\n\n" not in text
    assert text == text.strip("\n") + "\n"


@pytest.mark.parametrize(("name", "evil"), list(itertools.product(LETTERS, EVIL)))
def test_nobody_writes_headers_or_pages(name: str, evil: str) -> None:
    """Whatever people choose as names and reasons stays text on one line: no header, no element, no link."""
    fields = {one.name: evil for one in attrs.fields(LETTERS[name]) if one.name != "path"}
    message = read(written(letter(name, **fields)).data)
    assert set(message.keys()) <= HEADERS
    assert len(message.keys()) == len(set(message.keys()))
    assert [one.addr_spec for one in message["To"].addresses] == ["ada@people.example"]
    assert len(message["Subject"]) <= 200
    good = LexborHTMLParser(part(normal(name), "html"))
    page = LexborHTMLParser(part(message, "html"))
    assert [one.tag for one in page.css("*")] == [one.tag for one in good.css("*")]
    assert [one.attributes for one in page.css("a")] == [one.attributes for one in good.css("a")]
    text = part(message, "plain")
    assert set(re.findall(r"\w+://\S+", text)) == set(re.findall(r"\w+://\S+", part(normal(name), "plain")))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x85\u2028\u202e]", text)
    assert len(text) < 4_000


@pytest.mark.parametrize(
    "path",
    [
        "",
        "account/",
        "//evil.example/",
        "/\\evil.example",
        "https://evil.example/",
        "/a b",
        "/a\r\nb",
        "/<x>",
        "/ä",
    ],
)
def test_links_lead_to_this_index(path: str) -> None:
    """A link that may lead elsewhere is not sent."""
    with pytest.raises(Refused, match="does not lead"):
        written(ResetPassword(user="ada", path=path))


@pytest.mark.parametrize(
    "to",
    [
        "",
        "ada",
        "@people.example",
        "ada@",
        "ada@x\r\nBcc: eve@e.example",
        "ada@a, eve@b",
        "käse@people.example",
        "ada@people.example>",
        "a b@people.example",
        f"ada@{'x' * 70}.example",
        "ada@.example",
        "a@b@c.example",
    ],
)
def test_addresses_that_are_none(to: str) -> None:
    """What is no address, or needs an extension of mail, is refused."""
    with pytest.raises(Refused):
        written(letter("password-changed"), to)


def test_headers_are_looked_at_again() -> None:
    """A message whose headers hold other headers, by whatever mistake, is not sent."""
    message = EmailMessage(POLICY)
    message["Subject"] = "=?utf-8?q?x=0D=0ABcc:_eve@evil.example?="
    message.set_content("x")
    with pytest.raises(Refused):
        checked(message)


@pytest.mark.parametrize("name", LETTERS)
def test_nobody_by_name(name: str) -> None:
    """A letter to whom is not known by name reads well, too."""
    text = part(read(written(letter(name, user="")).data), "plain")
    assert text.startswith("Hello,\n\n")
    assert not re.search(r"[^\n ]  | [.,:]", text)


def test_domains_in_other_scripts() -> None:
    """A domain in any script is written as servers read it."""
    assert written(letter("password-changed"), "ada@bücher.example").to == "ada@xn--bcher-kva.example"


def test_who_it_is_from() -> None:
    """Mail is from whom the operator says, else from an address at the index's host."""
    assert written(letter("invited"), sender="Shop <shop@corp.example>").sender == "shop@corp.example"
    assert read(written(letter("invited"), sender="shop@corp.example").data)["From"].addresses[0].display_name
    assert written(letter("invited"), origin="http://127.0.0.1:8080").sender == "cheeseshop@localhost"
    assert written(letter("invited"), origin="http://[::1]:8080").sender == "cheeseshop@localhost"


def test_the_same_message_each_time() -> None:
    """A letter that is sent again has the same Message-ID; another letter has another."""
    first, again = (read(written(letter("invited")).data)["Message-ID"] for _ in range(2))
    posted = Posted(letter=letter("invited"), to="a@b.example", at=NOW, until=NOW)
    assert first == again != read(messages().write(posted, number=8).data)["Message-ID"]


@pytest.mark.parametrize("name", LETTERS)
def test_kept_and_read_again(name: str) -> None:
    """A letter comes out of the database as it went in."""
    posted = Posted(letter=letter(name), to="a@b.example", at=NOW, until=NOW + timedelta(hours=3))
    assert Posted.of(posted.payload()) == posted


@pytest.mark.parametrize(
    "change",
    [{"letter": "no-such"}, {"letter": None}, {"about": {"x": 1}}, {"about": 3}, {"at": "soon"}, {"to": ...}],
)
def test_what_is_no_letter(change: dict[str, Any]) -> None:
    """What another version has written, or nobody, is told as that, without what it holds."""
    posted = Posted(letter=letter("reset-password"), to="a@b.example", at=NOW, until=NOW)
    payload = {**posted.payload(), **change}
    payload = {name: value for name, value in payload.items() if value is not ...}
    with pytest.raises(NoLetter) as told:
        Posted.of(payload)
    assert PATH not in str(told.value)


def test_secrets_are_not_shown() -> None:
    """What a log shows of a message is neither its link nor its text."""
    assert PATH not in repr(written(letter("reset-password")))
