"""Descriptions that are meant to take the time or the memory of whoever renders them, most of them 1 MB long.

Each is (what it does, content type, text). Renderers get through some of them and not through others; nobody
else may notice.
"""

from __future__ import annotations

from collections.abc import Iterator

MB = 1_000_000
MARKDOWN, RST, PLAIN = "text/markdown", "text/x-rst", "text/plain"


def filled(piece: str, size: int = MB) -> str:
    """As many pieces as there is room for."""
    return piece * (size // len(piece.encode()))


def of_markdown() -> Iterator[tuple[str, str]]:
    """What parsers of Markdown have stumbled over: runs of what opens and never closes, and deep nesting."""
    for piece in (
        "[",
        "![",
        "](",
        "<",
        "<!--",
        "<![CDATA[",
        "<?",
        "&",
        "`",
        "*",
        "_",
        "~",
        ">",
        "#",
        "|",
        "\\",
    ):
        yield f"1 MB of {piece}", filled(piece)
    for piece in (
        "*a ",
        "_a*",
        "**a *b ",
        "[a](",
        "[a](<",
        "![a](b ",
        "`a``",
        "a@b.",
        "www.a.",
        "http://a/(",
        "~a~~",
    ):
        yield f"1 MB of {piece!r}", filled(piece)
    yield "backquotes of all lengths", "".join("a" + "`" * n for n in range(1, 1400))
    yield "quotes in quotes", "".join("> " * n + "a\n" for n in range(1, 700))
    yield "lists in lists", "".join("  " * n + "- a\n" for n in range(700))
    yield "lists on one line", "- " * 20_000 + "a"
    yield "numbers on one line", "1. " * 20_000 + "a"
    yield "elements in elements", filled("<div>") + "x"
    yield "elements that overlap", filled("<b><i></b>")
    yield "formatting that is begun anew", "<b><i><u><p>" * 8000
    yield "tables in tables", filled("<table><tr><td>")
    yield "tables without cells", filled("<table>")
    yield "details in details", filled("<details><summary>a</summary>", 300_000)
    yield "attributes", f"<p {''.join(f'a{n}=b ' for n in range(80_000))}>"
    yield "one attribute", f'<a title="{filled("&quot;")}">x</a>'
    yield "entities", filled("&lt;&#1;&#xfffff;&notanentity;")
    yield "references", "".join(f"[a{n}]: b\n" for n in range(40_000)) + "[a1][a2]" * 20_000
    yield "references to themselves", "[a]: <b> 'c'\n" + "[a]" * 200_000
    yield "long references", f"[{'a' * 900}]: b\n\n" + f"[{'a' * 900}]" * 1000
    yield "footnotes", "".join(f"[^{n}]\n\n[^{n}]: a[^{n + 1}]\n\n" for n in range(20_000))
    yield "one footnote", "[^a]: b\n\n" + "[^a]" * 200_000
    yield "a wide table", f"|{'a|' * 20_000}\n|{'-|' * 20_000}\n" + "|b|\n" * 200
    yield "a long table", "|a|b|\n|-|-|\n" + "|c|d|\n" * 100_000
    yield "headings", "# a\n" * 200_000
    yield "headings of other names", "".join(f"# {n}\n" for n in range(100_000))
    yield "rules", "---\n" * 250_000
    yield "code", "```python\n" + "((((((((((\n" * 80_000 + "```\n"
    yield (
        "code of many languages",
        "".join(f"```{name}\na\n```\n" for name in ("c", "js", "sql", "tcl")) * 8000,
    )
    yield "code for a slow lexer", "```html\n" + filled("<a b=", 300_000) + "\n```\n"
    yield "code in many blocks", "```py\na\n```\n\n" * 60_000
    yield "pictures", "![a](https://b.example/c) " * 40_000
    yield "links to one place", "# a\n\n" + "[a](#A%61)" * 100_000
    yield "links to no place", "[a](#b)" * 140_000
    yield "tasks", "- [ ] a\n" * 120_000
    yield "alerts", "> [!NOTE]\n> a\n\n" * 60_000
    yield "letters of all kinds", "\u0301" * 500_000
    yield "arabic and back", "\u202ea\u202c" * 140_000
    yield "cheese", "\U0001f9c0" * 250_000
    yield "blanks", " " * MB
    yield "ends of lines", "\n" * MB
    yield "carriage returns", "\r" * MB
    yield "tabs", "\t" * MB


def of_rst() -> Iterator[tuple[str, str]]:
    """What docutils takes long for: nesting, tables, inline markup that does not end, substitutions."""
    for piece in (
        "`",
        "*a ",
        "|",
        "_",
        "a_ ",
        "`a`_ ",
        "[1]_ ",
        ":a:`",
        "``a``",
        "<",
        "\\",
        "=",
        ".. ",
        "::\n\n",
        "-a ",
    ):
        yield f"1 MB of {piece!r}", filled(piece)
        yield f"1 MB of {piece!r} in lines", filled(piece * 8 + "\n")
    yield "lists in lists", "".join("  " * n + "- a\n\n" for n in range(400))
    yield "quotes in quotes", "".join(" " * n + "a\n\n" for n in range(900))
    yield "sections in sections", "".join(f"a\n{mark * 4}\n\n" for mark in "=-~^\"'`:.*+#<>_")
    yield "sections", "".join(f"a{n}\n======\n\n" for n in range(20_000))
    yield "a grid", f"+{'-+' * 150}\n|{'a|' * 150}\n" * 300 + f"+{'-+' * 150}\n"
    yield "a simple table", "= =\na b\n= =\n" + "a b\n" * 100_000 + "= =\n"
    yield "a table of values", ".. csv-table::\n\n" + "   a,b\n" * 80_000
    yield "a table of lists", ".. list-table::\n\n" + "   * - a\n     - b\n" * 30_000
    yield (
        "substitutions",
        "\n".join(
            (
                "|a24|\n",
                *(f".. |a{n}| replace:: |a{n - 1}| |a{n - 1}|" for n in range(24, 0, -1)),
                ".. |a0| image:: x\n",
            )
        ),
    )
    yield "substitutions in a circle", "|a|\n\n.. |a| replace:: |b|\n.. |b| replace:: |a|\n"
    yield "substitutions by one", "|a|" * 100_000 + "\n\n.. |a| replace:: " + "b" * 1000
    yield "footnotes", "".join(f"[#a{n}]_\n\n.. [#a{n}] b\n\n" for n in range(10_000))
    yield "numbered footnotes", "[#]_ " * 4000 + "\n\n" + ".. [#] a\n" * 4000
    yield "references", "".join(f".. _a{n}: b\n" for n in range(20_000)) + "\n" + "a1_ " * 2000
    yield "references in a circle", ".. _a: b_\n.. _b: a_\n\na_\n"
    yield "contents", ".. contents::\n\n" + "".join(f"a{n}\n======\n\n" for n in range(5000))
    yield "numbers of sections", ".. sectnum::\n\n" + "".join(f"a{n}\n======\n\n" for n in range(5000))
    yield "notes in notes", "".join("   " * n + ".. note::\n\n" for n in range(300)) + "   " * 300 + "a"
    yield (
        "containers in containers",
        "".join("  " * n + ".. container:: a\n\n" for n in range(300)) + "  " * 300 + "a",
    )
    yield "roles", "".join(f".. role:: a{n}(emphasis)\n" for n in range(20_000))
    yield "code", ".. code:: python\n\n" + "   ((((((\n" * 80_000
    yield "code for a slow lexer", ".. code:: html\n\n   " + "<a b=" * 1900
    yield "math", ".. math::\n\n" + "   \\frac{a}{b}\n" * 60_000
    yield "math inline", ":math:`a^b` " * 600
    yield "pictures", ".. image:: https://a.example/b\n\n" * 25_000
    yield "options", "-a  b\n" * 100_000
    yield "fields", ":a: b\n" * 100_000
    yield "definitions", "a\n  b\n" * 100_000
    yield "lines", "| a\n" * 200_000
    yield "quotes that are smart", "\"a\" 'b' -- ... " * 500
    yield "a comment", ".. " + "a\n   " * 200_000
    yield "an enumeration", "".join(f"{n}. a\n" for n in range(1, 60_000))
    yield "roman numbers", "MMMCMXCIX. a\n\n" * 50_000
    yield "dates", "$Date: " * 1000 + "\n\n.. date::\n"
    yield "one line", "a " * 500_000
    yield "letters of all kinds", ("\u0301" * 4000 + "\n\n") * 100


def of_text() -> Iterator[tuple[str, str]]:
    """Plain text has few tricks."""
    for piece in "&", "<", "\n", " ", "http://a.example/ ", "\U0001f9c0", "\u202e":
        yield f"1 MB of {piece!r}", filled(piece)


HEAVY = [
    *((what, MARKDOWN, text) for what, text in of_markdown()),
    *((f"CommonMark: {what}", f"{MARKDOWN}; variant=CommonMark", text) for what, text in of_markdown()),
    *((what, RST, text) for what, text in of_rst()),
    *((what, PLAIN, text) for what, text in of_text()),
]
