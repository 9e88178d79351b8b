"""Static files: put together, named by their content, served in both encodings."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from pypi.domain.errors import NoSuchFile
from pypi.web.assets import SCRIPT, STYLE, Asset, Assets
from pypi.web.assets_build import LAYERS, Misplaced, script, style_sheet
from tests.support.index import Index


def folder(place: Path, files: Mapping[str, str]) -> Path:
    """A folder with these files, and with all folders of the style sheet."""
    for layer in LAYERS:
        (place / "css" / layer).mkdir(parents=True, exist_ok=True)
    for name in ("js", "assets"):
        (place / name).mkdir(exist_ok=True)
    for path, text in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text, encoding="utf-8")
    return place


def test_layers(tmp_path: Path) -> None:
    """The order of the cascade is said first; then come the layers, their files by name."""
    made = folder(
        tmp_path,
        {
            "css/utilities/a.css": ".u {}",
            "css/components/b.css": ".b {}",
            "css/components/a.css": "/* of a */\n.a {\n  color: red;\n}\n",
            "css/settings/tokens.css": ":root {}",
        },
    )
    assert style_sheet(made / "css").decode() == (
        "@layer settings, elements, objects, components, utilities;\n"
        "@layer settings {\n:root {}\n}\n"
        "@layer elements {\n\n}\n"
        "@layer objects {\n\n}\n"
        "@layer components {\n.a {\ncolor: red;\n}\n.b {}\n}\n"
        "@layer utilities {\n.u {}\n}\n"
    )


def test_comments_and_strings(tmp_path: Path) -> None:
    """Comments are left out, wherever they stand; what looks like one inside of a string is none."""
    made = folder(tmp_path, {"css/elements/x.css": '.x::before { content: "/* \'"; /* a\n b */ color: red }'})
    assert '.x::before { content: "/* \'";  color: red }' in style_sheet(made / "css").decode()


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (
            "css/themes/x.css",
            "css/themes is in no layer: these are settings, elements, objects, components, utilities",
        ),
        (
            "css/x.css",
            "css/x.css is in no layer: these are settings, elements, objects, components, utilities",
        ),
        ("css/elements/x.scss", "elements/x.scss is no .css file"),
        ("css/elements/deep/x.css", "elements/deep is no .css file"),
        ("js/x.ts", "js/x.ts is no .js file"),
        ("assets/x.exe", "x.exe has no known type"),
        ("assets/nothing", "nothing has no known type"),
    ],
)
def test_misplaced(tmp_path: Path, path: str, sentence: str) -> None:
    """A file that lies where it has no place stops the start."""
    with pytest.raises(Misplaced, match=re.escape(sentence)):
        Assets.of(folder(tmp_path, {path: "x"}))


def test_scripts_keep_apart(tmp_path: Path) -> None:
    """Each script has a block of its own, so that two may use one name; comments are left out."""
    made = folder(tmp_path, {"js/b.js": "const a = 2;\n", "js/a.js": "// What it does.\n  const a = 1;\n\n"})
    assert script(made / "js").decode() == "{\nconst a = 1;\n}\n{\nconst a = 2;\n}\n"


def test_names(tmp_path: Path) -> None:
    """A name changes with the content, and with nothing else."""
    one, same, other = (Asset.of("x.css", body) for body in (b"a", b"a", b"b"))
    assert one == same
    assert re.fullmatch(r"x-[0-9a-f]{16}\.css", one.name)
    assert one.name != other.name
    assert gzip.decompress(one.packed) == b"a"


def test_unknown() -> None:
    """Nothing is served but under its present name."""
    assets = Assets.installed()
    assert assets.served(assets.url(STYLE).removeprefix("/static/")).content_type == "text/css; charset=utf-8"
    with pytest.raises(NoSuchFile):
        assets.served(STYLE)
    with pytest.raises(KeyError):
        assets.url("nothing.css")


def test_nothing_from_elsewhere() -> None:
    """Neither the style sheet nor the script names another place to load from, and no style is forced."""
    assets = Assets.installed()
    style, code = (assets.by_name[name].body.decode() for name in (STYLE, SCRIPT))
    for text in (style, code):
        assert not re.search(r"https?://|@import|url\(|sourceMappingURL", text)
    assert not re.search(r"\b(eval|innerHTML|outerHTML|insertAdjacentHTML|document\.write)\b", code)
    # What is hidden has to be, and what is plain on paper: no other declaration needs to shout.
    assert style.count("!important") <= 2


def test_tokens_in_both_lights() -> None:
    """Every colour is said for light and for dark; all others are names of these."""
    tokens = Path(__file__).parents[2].joinpath("templates/static/css/settings/tokens.css").read_text()
    light, dark = tokens.split("prefers-color-scheme: dark", 1)
    colours = re.findall(r"(--[a-z-]+): #", light)
    assert colours
    assert colours == re.findall(r"(--[a-z-]+): #", dark)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


GROUNDS = ("paper", "raised", "sunk")
READ_ON = {
    "ink": (*GROUNDS, "rind-ground", "good-ground", "warn-ground", "bad-ground"),
    "soft-ink": (*GROUNDS, "rind-ground"),
    "link": (*GROUNDS, "rind-ground", "good-ground", "warn-ground", "bad-ground"),
    "good": (*GROUNDS, "good-ground"),
    "warn": (*GROUNDS, "warn-ground"),
    "bad": (*GROUNDS, "bad-ground"),
    "on-rind": ("rind", "rind-strong"),
}
SEEN_ON = {"edge": GROUNDS, "focus": GROUNDS}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme: str) -> None:
    """What is read has 4.5:1 on every ground it may stand on; what is only to be seen, 3:1."""
    tokens = Path(__file__).parents[2].joinpath("templates/static/css/settings/tokens.css").read_text()
    halves = dict(zip(("light", "dark"), tokens.split("prefers-color-scheme: dark", 1), strict=True))
    value = dict(re.findall(r"--([a-z-]+): (#[0-9A-F]{6})", halves[scheme]))
    for wanted, pairs in ((4.5, READ_ON), (3.0, SEEN_ON)):
        for colour, grounds in pairs.items():
            for ground in grounds:
                assert contrast(value[colour], value[ground]) >= wanted, (colour, ground)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_code(scheme: str) -> None:
    """Colours of code can be read where code stands."""
    css = Path(__file__).parents[2].joinpath("templates/static/css")
    tokens = css.joinpath("settings/tokens.css").read_text().split("prefers-color-scheme: dark", 1)
    code = css.joinpath("components/prose-code.css").read_text().split("prefers-color-scheme: dark", 1)
    place = ("light", "dark").index(scheme)
    grounds = re.findall(r"--sunk: (#[0-9A-F]{6})", tokens[place])
    colours = re.findall(r"--code-[a-z]+: (#[0-9A-F]{6})", code[place])
    assert (len(grounds), len(colours)) == (1, 5)
    for colour in colours:
        assert contrast(colour, grounds[0]) >= 4.5, colour


async def test_served(index: Index) -> None:
    """Style sheet, script and mark of a page are kept for ever, each with its type, and gzipped."""
    page = (await index.ask("/")).text
    urls = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    types = {}
    for url in urls:
        reply = await index.ask(url, {"Accept-Encoding": "gzip"})
        assert (reply.status, reply["X-Content-Type-Options"]) == (200, "nosniff")
        assert reply["Cache-Control"] == "max-age=31536000, public, immutable"
        types[url.rpartition(".")[2]] = reply["Content-Type"]
        if len(reply.body) > 512:
            assert reply["Content-Encoding"] == "gzip"
            assert gzip.decompress(reply.body) == (await index.ask(url)).body
    assert types == {
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
    }


async def test_packed_beforehand(index: Index) -> None:
    """What goes over the wire is what was packed at the start, as tightly as can be."""
    assets = Assets.installed()
    reply = await index.ask(assets.url(STYLE), {"Accept-Encoding": "gzip"})
    assert reply.body == assets.by_name[STYLE].packed
    again = await index.ask(assets.url(STYLE), {"Accept-Encoding": "gzip", "If-None-Match": reply["ETag"]})
    assert (again.status, again.body) == (304, b"")


async def test_what_is_not_there(index: Index) -> None:
    """Nothing is served under a name of its own, a name of yesterday, or the path of a template."""
    for name in (
        "cheeseshop.css",
        "",
        "..%2fbase.html",
        "x/y",
        "css/settings/tokens.css",
        "nothing-0000000000000000.svg",
        "wedge-0000000000000000.css",
        "wedge-000000000000000.svg",
    ):
        reply = await index.ask(f"/static/{name}", {"Accept": "text/html"})
        assert reply.status in (400, 404), name
        assert not reply["Content-Type"].startswith("text/html"), name


async def test_pages_of_other_versions(index: Index) -> None:
    """A page that was kept while another version was here finds the style sheet of today, for the moment."""
    url = Assets.installed().url(STYLE)
    reply = await index.ask(url.replace(url[-20:-4], "0123456789abcdef"))
    assert (reply.status, reply["Location"]) == (302, url)
    assert reply["Cache-Control"] == "max-age=60, public"


async def test_svg_does_nothing(index: Index) -> None:
    """An SVG that is opened as a page may do nothing; other sites may show it."""
    reply = await index.ask(Assets.installed().url("wedge.svg"))
    assert reply["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert reply["Cross-Origin-Resource-Policy"] == "cross-origin"


async def test_weight(index: Index) -> None:
    """The first page with all it loads is far below 60 kB on the wire."""
    gzipped = {"Accept-Encoding": "gzip"}
    page = await index.ask("/", gzipped)
    urls = re.findall(r'(?:href|src)="((?:/static/|/favicon)[^"]+)"', gzip.decompress(page.body).decode())
    total = len(page.body) + sum([len((await index.ask(url, gzipped)).body) for url in urls])
    assert total < 40_000
