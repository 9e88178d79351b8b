"""Pages that explain: what they say is so, and what they show to be pasted is well-formed."""

from __future__ import annotations

import configparser
import re
import subprocess
import tomllib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from pypi.web.pages.connect import CLIENTS, Here
from pypi.web.pages.guides import Contact
from tests.support.archives import wheel, wheel_filename
from tests.support.index import Index, running
from tests.support.snippets import Snippet, snippets
from tests.web.pages.test_home import assert_sound

SETTINGS = {
    "service__origin": "https://index.example",
    "pages__name": "Our Cheese",
    "pages__contact": "cheese@shop.example",
    "uploads__max_file_size": "42MB",
    "uploads__release_days": 1,
    "uploads__zip_sdists": True,
}

PLAIN = {"service__origin": "http://index.example:8080"}

PAGES = ("/connect/", "/feeds/", "/help/", "/help/api/", "/security/", "/help/accounts/")


@pytest.mark.parametrize("path", PAGES)
async def test_sound(index: Index, path: str) -> None:
    """Every element is closed, every id is there once, and every link leads somewhere."""
    await assert_sound(index, path)


@pytest.mark.parametrize("path", PAGES)
async def test_named(index: Index, path: str) -> None:
    """Every page says whose it is, names the configured URL alone, and has one heading above all others."""
    text = (await index.ask(path, {"Host": "localhost"})).text
    assert re.search(r"<title>[^<·]+ · Our Cheese</title>", text)
    assert f'<link rel="canonical" href="https://index.example{path}">' in text
    assert "127.0.0.1" not in text
    assert "localhost" not in text
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", text)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("path", PAGES)
async def test_kept(index: Index, path: str) -> None:
    """They are kept by all, and asked for again cheaply; a change of a project does not touch them."""
    reply = await index.ask(path)
    assert reply["Cache-Control"] == "max-age=0, public, must-revalidate"
    assert (await index.ask(path, {"If-None-Match": reply["ETag"]})).status == 304
    assert len(reply.body) < 60_000


async def test_what_is_configured(index: Index) -> None:
    """What the operator has decided is said: limits, and whom to ask."""
    text = (await index.ask("/help/")).text
    for said in (
        "of up to 42 MB each",
        "or <code>.zip</code>",
        "for 1 day after",
        '<a href="mailto:cheese@shop.example">cheese@shop.example</a>',
        "https://index.example/legacy/",
        "pip search --index https://index.example/pypi cheese",
    ):
        assert said in text, said
    assert "mailto:cheese@shop.example" in (await index.ask("/security/")).text
    assert "mailto:cheese@shop.example" in (await index.ask("/help/accounts/")).text


async def test_nobody_to_ask(database_url: str, tmp_path: Path) -> None:
    """Without a contact the pages say how to set one, and nothing is left blank."""
    async with running(database_url, tmp_path, uploads__release_days=0) as index:
        security, answers = (await index.ask("/security/")).text, (await index.ask("/help/")).text
    assert "set <code>pages.contact</code>" in security
    assert "its operator, who has left no address here" in answers
    assert "takes further files" not in answers


@pytest.mark.parametrize(
    ("words", "url"),
    [
        ("cheese@shop.example", "mailto:cheese@shop.example"),
        ("a b@shop.example", ""),
        ('"><script>@shop.example', "mailto:%22%3E%3Cscript%3E@shop.example"),
        ("https://help.example/?a=b&c", "https://help.example/?a=b&c"),
        ("javascript:alert(1)", ""),
        ("Ada, first floor", ""),
        ("", ""),
    ],
)
def test_contact(words: str, url: str) -> None:
    """A contact is a link only if it is an address of mail or of the web."""
    assert Contact.of(words) == Contact(words, url)


# What is to be pasted


def is_well_formed(snippet: Snippet) -> bool:
    """Whether a file of its language may hold just that."""
    match snippet.language:
        case "toml":
            return bool(tomllib.loads(snippet.text))
        case "ini":
            parser = configparser.ConfigParser(interpolation=None)
            parser.read_string(snippet.text)
            return bool(parser.sections())
        case "yaml":
            return isinstance(yaml.safe_load(snippet.text), dict)
        case "sh":
            subprocess.run(["bash", "-n", "-c", snippet.text], check=True, timeout=10)
            return not snippet.file
        case "requirements":
            return snippet.file == "requirements.txt"
        case "dockerfile":
            return all(re.fullmatch(r"ENV [A-Z_]+=\S+", line) for line in snippet.text.splitlines())
    return False


def assert_well_formed(found: Sequence[Snippet], origin: str) -> None:
    """Check that all are sound in their language, and name this index and no other."""
    assert len(found) > 30
    for one in found:
        assert is_well_formed(one), one
        assert one.text == one.text.strip()
        assert set(re.findall(r"https?://[^/\s\"']+", one.text)) <= {origin}, one
        assert "{{" not in one.text.replace("${{ secrets.", ""), one


async def test_well_formed(index: Index) -> None:
    """What is to be pasted is well-formed."""
    assert_well_formed(snippets((await index.ask("/connect/")).text), "https://index.example")


async def test_plain_http(database_url: str, tmp_path: Path) -> None:
    """An index that has no TLS says so, and has pip and PDM told to trust it."""
    async with running(database_url, tmp_path, **PLAIN) as index:
        page, home = (await index.ask("/connect/")).text, (await index.ask("/")).text
    assert_well_formed(snippets(page), PLAIN["service__origin"])
    assert "This index is reached by plain HTTP." in page
    assert "pip config set global.trusted-host index.example:8080" in home
    by_file = {one.file: one.text for one in snippets(page)}
    assert "trusted-host = index.example:8080" in by_file["pip.conf"]
    assert "--trusted-host index.example:8080" in by_file["requirements.txt"]
    pip = next(one.text for one in snippets(page) if one.text.startswith("pip install"))
    assert pip == (
        "pip install --index-url http://index.example:8080/simple/ --trusted-host index.example:8080 "
        "your-project"
    )
    assert "verify_ssl = false" in page


async def test_with_tls(index: Index) -> None:
    """With TLS nothing has to be trusted, and nothing is warned of."""
    page = (await index.ask("/connect/")).text
    assert "trusted" not in page
    assert "TRUSTED" not in page
    assert "notice" not in page
    assert "verify_ssl = true" in page
    pip = next(one.text for one in snippets(page) if one.text.startswith("pip install"))
    assert pip == "pip install --index-url https://index.example/simple/ your-project"


async def test_called(index: Index) -> None:
    """Configuration calls the index as its operator does, as far as files and variables can."""
    page = (await index.ask("/connect/")).text
    for line in (
        "poetry source add --priority=primary our-cheese https://index.example/simple/",
        "export POETRY_PYPI_TOKEN_OUR_CHEESE=YOUR_TOKEN",
        "TWINE_PASSWORD: ${{ secrets.OUR_CHEESE_TOKEN }}",
        "TWINE_PASSWORD: $OUR_CHEESE_TOKEN",
    ):
        assert line in page, line


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Cheeseshop", "cheeseshop"),
        ("Ada's Wheels & Co.", "ada-s-wheels-co"),
        ("--", "cheeseshop"),
        ("24 Cheeses", "index-24-cheeses"),
        ("Käse", "k-se"),
        ("芝士", "cheeseshop"),
        ("PyPI", "cheeseshop"),
        ("Test", "cheeseshop"),
    ],
)
def test_names_for_files(name: str, called: str) -> None:
    """A name becomes a word of ASCII that no client has a meaning of its own for."""
    assert Here.of("https://index.example", name).called == called


@pytest.mark.parametrize(
    ("origin", "is_local", "trusted"),
    [
        ("https://index.example", False, ""),
        ("http://index.example", False, "index.example"),
        ("http://10.0.0.7:8080", False, "10.0.0.7:8080"),
        ("http://[2001:db8::1]:8080", False, "[2001:db8::1]:8080"),
        ("http://127.0.0.1:8080", True, ""),
        ("http://[::1]:8080", True, ""),
        ("http://localhost:8080", True, ""),
    ],
)
def test_who_reaches_it(origin: str, is_local: bool, trusted: str) -> None:
    """Only what is reached by plain HTTP from elsewhere has to be trusted without TLS."""
    here = Here(origin)
    assert (here.is_local, here.trusted) == (is_local, trusted)


async def test_every_client_has_a_section(index: Index) -> None:
    """Every client in the list of contents has its section, and there is no section without."""
    page = (await index.ask("/connect/")).text
    keys = re.findall(r'<section class="guide__section" aria-labelledby="([a-z]+)">', page)
    assert keys == [client.key for client in CLIENTS] == re.findall(r'guide__link" href="#([a-z]+)"', page)


async def test_addresses_are_real(index: Index) -> None:
    """What the pages say may be asked is answered."""
    await index.upload(wheel("cheese", "1.0"), wheel_filename("cheese", "1.0"), name="cheese")
    for path in ("/feeds/", "/help/api/"):
        text = (await index.ask(path)).text.replace("&amp;", "&").replace("&#39;", "'")
        for address in re.findall(r"https://index\.example(/[^\s'\"<]*)", text):
            asked = address.replace("your-project/1.0", "cheese/1.0").replace("your-project", "cheese")
            if "stream" in asked or "wait=" in asked or asked in ("/RPC2", "/legacy/"):
                continue
            by_post = asked.startswith(("/api/projects/", "/api/tokens/"))
            assert (await index.ask(asked)).status == (405 if by_post else 200), asked
