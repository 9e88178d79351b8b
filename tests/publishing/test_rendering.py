"""What descriptions look like to the page they are shown in, and to the software of those who read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from importlib.metadata import Distribution, distributions

import pytest

from pypi.publishing.rendering import markup
from pypi.publishing.rendering.tree import Element, NotCanonical, parse, serialize
from pypi.publishing.rendering.wire import NotRendered
from tests.publishing.inert import dangers


def shown(text: str, content_type: str = "text/markdown") -> str:
    """The HTML of a description, on one line, of attributes only what is not always there."""
    html = markup.render(text, content_type).replace("\n", "")
    return re.sub(r' (rel="nofollow noopener ugc"|loading="lazy"|decoding="async")', "", html)


# Headings.


@pytest.mark.parametrize(
    ("levels", "found"),
    [
        ("1", "3"),
        ("1 2 2 3 1", "3 4 4 5 3"),
        ("2 2 3", "3 3 4"),
        ("1 3 3 2 4", "3 4 4 4 5"),
        ("3 2 1", "3 3 3"),
        ("1 2 3 4 5 6", "3 4 5 6 6 6"),
        ("6 1 6", "3 3 4"),
    ],
)
def test_levels(levels: str, found: str) -> None:
    """Headings begin below those of the page, and leave no level out."""
    html = shown("\n\n".join(f"{'#' * int(level)} x" for level in levels.split()))
    assert re.findall(r"<h(\d)", html) == found.split()


def test_sections() -> None:
    """Sections of reStructuredText are headings of the same kind, which carry the ids."""
    html = shown("A\n=\n\nB\n-\n\n`B`_\n", "text/x-rst")
    assert html == (
        '<section><h3 id="user-content-a">A</h3><section><h4 id="user-content-b">B</h4>'
        '<p><a href="#user-content-b">B</a></p></section></section>'
    )


def test_contents() -> None:
    """A list of contents leads to headings; those do not lead back."""
    html = shown(".. contents:: X\n\nA\n=\n", "text/x-rst")
    assert '<a id="user-content-toc-entry-1" href="#user-content-a">A</a>' in html
    assert '<h3 id="user-content-a">A</h3>' in html


@pytest.mark.parametrize("text", ["# ", "<h1></h1>", "# ![](https://a.example/b)", "<h2>&nbsp;<br></h2>"])
def test_headings_that_say_nothing(text: str) -> None:
    """A heading without words is none."""
    assert not re.search("<h[1-6]", shown(f"{text}\n\nx"))


def test_headings_that_are_pictures() -> None:
    """A picture that says what it shows is words enough."""
    assert shown("# ![Brie](https://a.example/b)").startswith('<h3 id="user-content-brie"><img')


# Links.


@pytest.mark.parametrize(
    ("link", "html"),
    [
        ("[x](docs/x.md)", "x"),
        ("[x](/account/)", "x"),
        ("[x](../../other/)", "x"),
        ("[x](?q=1)", "x"),
        ("[x]()", "x"),
        ("[x](#nowhere)", "x"),
        ("[x](#)", "x"),
        ("[x](https:///nowhere)", "x"),
        ("[x](https://[::1/)", "x"),
        ("[](https://a.example/)", ""),
        ("<a title=x>x</a>", "x"),
        ("[x](//a.example/b)", '<a href="https://a.example/b">x</a>'),
        ('[x](https://a.example/?b=1&c=2 "t")', '<a title="t" href="https://a.example/?b=1&amp;c=2">x</a>'),
        ("[x](MAILTO:a@b.example)", '<a href="MAILTO:a@b.example">x</a>'),
        ("[x](HTTPS://a.example/)", '<a href="HTTPS://a.example/">x</a>'),
    ],
)
def test_links(link: str, html: str) -> None:
    """A link leads to a place that is the same from everywhere, or is none."""
    assert shown(link) == f"<p>{html}</p>"


def test_links_of_another_case() -> None:
    """Links within the description find what differs by case only, as they do elsewhere."""
    assert '<a href="#user-content-soft-cheese">' in shown("# Soft cheese\n\n[x](#Soft-Cheese)")
    assert '<a href="#user-content-käse">' in shown("# Käse\n\n[x](#K%C3%A4se)")


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("[![](https://a.example/b)](https://c.example/d/)", "c.example/d"),
        ("[![ ](https://a.example/b)](mailto:c@d.example)", "c@d.example"),
        (f"[![](https://a.example/b)](https://c.example/{'d' * 200})", f"c.example/{'d' * 70}"),
    ],
)
def test_links_that_are_pictures(link: str, name: str) -> None:
    """A link that shows a picture and says nothing is called by where it leads."""
    assert f' aria-label="{name}"' in shown(link)
    assert "aria-label" not in shown(link.replace("[]", "[x]").replace("[ ]", "[x]"))


# Pictures.


@pytest.mark.parametrize(
    ("picture", "html"),
    [
        ("![x](https://a.example/b.png)", '<img src="https://a.example/b.png" alt="x">'),
        ("![](http://a.example/b.png)", '<img src="http://a.example/b.png" alt="">'),
        ("<img src=//a.example/b>", '<img src="https://a.example/b" alt="">'),
        (
            "<img src='https://a.example/?b&c=\"<'>",
            '<img src="https://a.example/?b&amp;c=&quot;&lt;" alt="">',
        ),
        ("![x < y](docs/b.png)", "x &lt; y"),
        ("![x](data:image/png;base64,AAAA)", "x"),
        ("![x](mailto:a@b.example)", "x"),
        ("<img alt=x>", "x"),
        (
            "<img src=https://a.example/b width=50% height=20px align=RIGHT>",
            '<img src="https://a.example/b" alt="" width="50%" height="20" class="align-right">',
        ),
        (
            "<img src=https://a.example/b width=1e9 height=-1 align=top>",
            '<img src="https://a.example/b" alt="">',
        ),
    ],
)
def test_pictures(picture: str, html: str) -> None:
    """A picture is somewhere on the web, and has an alternative; of any other its alternative is left."""
    assert shown(f"a {picture}") == f"<p>a {html}</p>"


def test_pictures_wait() -> None:
    """Nobody loads a picture before it comes into sight, or waits for it."""
    assert 'loading="lazy" decoding="async">' in markup.render("![x](https://a.example/b)", "text/markdown")


# Tables, lists, code.


def test_tables() -> None:
    """A table can be scrolled by keyboard; cells without words head nothing."""
    html = shown("| a | |\n|:-:|-:|\n| 1 | 2 |\n\n<table><caption>C &amp; D</caption><tr><td>1</table>")
    assert html == (
        '<div class="wide" role="region" aria-label="Table 1" tabindex="0"><table><thead><tr>'
        '<th class="prose__center">a</th><td class="prose__right"></td></tr></thead>'
        "<tbody><tr>"
        '<td class="prose__center">1</td><td class="prose__right">2</td></tr></tbody></table></div>'
        '<div class="wide" role="region" aria-label="Table 2: C &amp; D" tabindex="0">'
        "<table><caption>C &amp; D</caption><tbody><tr><td>1</td></tr></tbody></table></div>"
    )


def test_tables_in_tables() -> None:
    """What scrolls does not scroll in something that scrolls."""
    html = shown("<table><tr><th>a</th><td><table><tr><td>b</td></tr></table></td></tr></table>")
    assert html.count("tabindex") == html.count("role=") == 1


def test_tables_of_heads_only() -> None:
    """A table that heads nothing has no heads."""
    assert "<th>" not in shown("| a | b |\n|---|---|\n")


@pytest.mark.parametrize("spans", ["colspan=1001", "rowspan=65534", "colspan=0", "colspan=x rowspan=-1"])
def test_spans(spans: str) -> None:
    """A cell does not span what makes a browser think for long."""
    assert "span=" not in shown(f"<table><tr><td {spans}>x</td></tr></table>")


def test_tasks() -> None:
    """A list of tasks shows what is done, and has no controls."""
    html = shown("- [ ] a\n- [x] b\n")
    assert html == ('<ul><li class="prose__task">\u2610 a</li><li class="prose__task">\u2611 b</li></ul>')
    assert '<li class="prose__task"> <p>\u2610 a</p></li>' in shown("- [ ] a\n\n- [x] b\n")
    assert "input" not in shown("a <input type=text value=x> <input>")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<li>a</li>", "<div>a</div>"),
        ("<ul>a<p>b</p><li>c</li></ul>", "<ul><li>a</li><li><p>b</p></li><li>c</li></ul>"),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "<dl><dt>a</dt><dd>b</dd></dl>"),
        ("<dl><dd>a</dd><p>b</p></dl>", "<div><div>a</div><p>b</p></div>"),
        ("<div><dt>a</dt></div>", "<div><div>a</div></div>"),
        ("<summary>a</summary>", "<div>a</div>"),
        ("<details><summary>a</summary>b</details>", "<details><summary>a</summary>b</details>"),
        ("<ol start=3><li>a</ol>", '<ol start="3"><li>a</li></ol>'),
        ("<ol start=x><li>a</ol>", "<ol><li>a</li></ol>"),
    ],
)
def test_lists(text: str, html: str) -> None:
    """Items are in lists, and nothing else is."""
    assert shown(text) == html


def test_code() -> None:
    """Code with long lines can be scrolled by keyboard, keeps its colours, and is in nobody's language."""
    html = shown(f"```python\nimport {'x' * 40}\n```\n\n```sh\nls\n```")
    assert html.startswith('<pre tabindex="0"><span class="kn">import</span>')
    assert html.count("tabindex") == 1
    assert "lang" not in html


def test_landmarks() -> None:
    """Contents and asides are boxes: the landmarks of a page are its own."""
    html = shown(".. contents:: X\n\n.. note:: a\n\n.. topic:: b\n\n   c\n\nA\n=\n", "text/x-rst")
    assert not re.search("<(aside|nav)", html)
    assert '<div class="admonition note">' in html


def test_classes() -> None:
    """Only classes that renderers use are left: no text looks like a part of the page."""
    html = shown('<p class="button note skip-link">a</p> <span class="kn button">b</span>')
    assert re.findall(r'class="([^"]*)"', html) == ["note", "kn"]


def test_ids() -> None:
    """No id is there twice, or none that a page could have."""
    html = shown('# a\n\n# a\n\n<p id="a">x</p><p id="user-content-a">y</p><p id="b c">z</p><p id="">w</p>')
    assert re.findall(r' id="([^"]*)"', html) == ["user-content-a", "user-content-a-1"]


# The tree.


@pytest.mark.parametrize(
    "html",
    ["<p>", "<p></b>", "</p>", "<p a=b></p>", "<p a='b'></p>", "<P></P>", "a < b", "a > b", "<!-- -->"],
)
def test_no_other_html(html: str) -> None:
    """What the sanitiser did not write is not read."""
    with pytest.raises(NotCanonical):
        parse(html)


def test_there_and_back() -> None:
    """What was read is written the same."""
    html = '<p class="a">b &lt; c<br>d &amp;amp;</p>e<img alt="&quot;&gt;" src="f">'
    assert serialize(parse(html)) == html


def test_depth() -> None:
    """A deep tree takes no deep stack."""
    html = "<b>" * 20_000 + "x" + "</b>" * 20_000
    tree = parse(html)
    assert (tree.text(), len(list(tree.walk())), serialize(tree)) == ("x", 20_000, html)


# Descriptions of people who meant well.


def described() -> Iterator[tuple[str, str, str]]:
    """(name, content type, text) of the descriptions of everything that is installed here."""
    for one in sorted(distributions(), key=lambda one: one.name.lower()):
        if (text := _description(one)) is not None:
            yield one.name, one.metadata["Description-Content-Type"] or "", text


def _description(one: Distribution) -> str | None:
    text = one.metadata.get_payload()
    return text if isinstance(text, str) and len(text) > 40 else None


def faults(root: Element) -> Iterator[str]:
    """What those would stumble over who do not see the page, or do not use a mouse."""
    level = 2
    names: set[str] = set()
    for element in root.walk():
        said = element.text().strip() or element.attributes.get("aria-label", "")
        says = said or any(one.attributes.get("alt", "").strip() for one in element.walk())
        if element.name in ("h1", "h2") or (
            element.name == "a" and "href" in element.attributes and not says
        ):
            yield f"{element.name} {element.attributes}"
        if re.fullmatch("h[3-6]", element.name):
            if not says or int(element.name[1]) > level + 1:
                yield f"{element.name} after level {level}"
            level = int(element.name[1])
        if element.name == "img" and "alt" not in element.attributes:
            yield "a picture without an alternative"
        if element.name == "th" and not says:
            yield "an empty head"
        if element.name in ("ul", "ol") and not all(child.name in ("li", "") for child in element.elements()):
            yield "a list of something else"
        if element.name == "pre" and _is_wide(element) and "tabindex" not in element.attributes:
            yield "code that cannot be scrolled"
        for name in (element.attributes.get("id"), element.attributes.get("aria-label")):
            if name and element.name != "a" and name in names:
                yield f"{name} twice"
            names.add(name or "")
    targets = {element.attributes.get("id") for element in root.walk()}
    for element in root.walk():
        address = unescape(element.attributes.get("href", ""))
        if address.startswith("#") and address[1:] not in targets:
            yield f"{address} leads nowhere"


def _is_wide(element: Element) -> bool:
    return any(len(line) > 40 for line in element.text().splitlines())


@pytest.mark.parametrize(
    ("content_type", "text"), [pytest.param(*rest, id=name) for name, *rest in described()]
)
def test_real_descriptions(content_type: str, text: str) -> None:
    """What people have written in earnest renders, does no harm, and nobody stumbles over it."""
    try:
        html = markup.render(text, content_type)
    except NotRendered:
        assert content_type in ("", "text/x-rst")
        return
    assert list(faults(parse(html))) == []
    assert dangers(html) == []
