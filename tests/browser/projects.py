"""Projects made by hand, each with something that pages have to bear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import field, frozen

from tests.support.archives import Headers, core_metadata, sdist, sdist_filename, wheel, wheel_filename

README = """\
# Wensleydale

A small library that tastes *crumbly* cheese, and says **how long it has aged**.

[![quality](https://images.example/badge.svg)](https://wensleydale.example/ci)

## Install

```console
$ pip install wensleydale
```

## Use

```python
from wensleydale import Wheel

wheel = Wheel.cut(weight=1.2, aged="P6M")
for note in wheel.taste():
    print(f"{note.name:>12} {note.strength:.1f}")
```

| Call | What it does | Since |
|:-----|:-------------|------:|
| `Wheel.cut()` | cuts a wheel | 0.9 |
| `Wheel.taste()` | tastes it, one note after the other | 1.0 |
| `Wheel.age(months)` | lets it age, see [the guide](https://wensleydale.example/guide) | 2.0 |

### What it does not do

1. It does not make cheese.
2. It does not eat it, either:
   - not with crackers,
   - not without.

> No cheese shop is complete without cheese.

## Changes

See the [history](https://wensleydale.example/changes). Thanks to all who [helped](mailto:ada@example.org).

## Licence

MIT.
"""

GROMIT = """\
Gromit
======

A dog that builds, in reStructuredText.

.. code-block:: python

    import gromit

    gromit.build("rocket")

.. note:: He does not talk.

================  =========
Machine           Purpose
================  =========
Techno Trousers   walks
Porridge Gun      porridge
================  =========

Usage
-----

``gromit.plan()``
    makes a plan.

``gromit.build(what)``
    builds it.
"""

RTL = """\
# جبنة

هذا مشروع صغير عن **الجبن**. يتذوق الجبن ويقول كم عمره.

## שימוש

ספרייה קטנה שטועמת גבינה. `pip install right-to-left`

- אחת
- שתיים (two)
"""

COLUMNS = 24

WIDE = f"""\
# Wide things

|{"|".join(f" Column {number} " for number in range(COLUMNS))}|
|{"---|" * COLUMNS}
|{"|".join(f" value-{number}" * 3 for number in range(COLUMNS))}|

```
{"a line of code that does not end where the window does, " * 8}
```

{"https://example.org/" + "path/" * 60}

`{"code_without_a_place_to_break" * 8}`

![a picture](https://images.example/wide.png)

{"W" * 400}
"""

PLAIN = "Plain text.\n\n    indented\n\n<b>not bold</b> & nothing else\n" + "a long line of plain text " * 20

TESTED = (
    "Development Status :: 5 - Production/Stable",
    "Framework :: Twisted",
    "Intended Audience :: Developers",
    "License :: OSI Approved :: MIT License",
    "Programming Language :: Python :: 3",
    "Programming Language :: Python :: 3.11",
    "Programming Language :: Python :: 3.12",
    "Programming Language :: Python :: 3.13",
    "Topic :: Software Development :: Libraries",
)


@frozen
class Release:
    """One release to publish.

    Attributes:
        headers: fields of its metadata besides name and version.
        tags: of its wheels.
        source: whether there is a source distribution as well.
    """

    name: str
    version: str = "1.0"
    summary: str = ""
    description: str = ""
    content_type: str = "text/markdown"
    headers: Headers = ()
    tags: Sequence[str] = ("py3-none-any",)
    source: bool = False
    classifiers: Sequence[str] = field(default=())

    def write(self, folder: Path) -> None:
        """Write its files."""
        metadata = core_metadata(
            self.name, self.version, headers=list(self._headers()), description=self.description
        )
        for tag in self.tags:
            data = wheel(self.name, self.version, metadata=metadata, tag=tag)
            (folder / wheel_filename(self.name, self.version, tag)).write_bytes(data)
        if self.source:
            data = sdist(self.name, self.version, metadata=metadata)
            (folder / sdist_filename(self.name, self.version)).write_bytes(data)

    def _headers(self) -> Iterator[tuple[str, str]]:
        if self.summary:
            yield "Summary", self.summary
        if self.description:
            yield "Description-Content-Type", self.content_type
        yield from (("Classifier", one) for one in self.classifiers)
        yield from self.headers


LINKS: Headers = [
    ("Project-URL", "Homepage, https://wensleydale.example/"),
    ("Project-URL", "Source, https://code.example/ada/wensleydale"),
    ("Project-URL", "Changelog, https://wensleydale.example/changes"),
    ("Keywords", "cheese,taste,crumbly"),
    ("License-Expression", "MIT"),
    ("Author-Email", "Ada Lovelace <ada@example.org>"),
    ("Requires-Python", ">=3.9"),
    ("Requires-Dist", "gromit>=1.0"),
    ("Requires-Dist", "crackers; extra == 'feast'"),
    ("Requires-Dist", "a-name-nobody-has-taken<2; python_version < '3.11'"),
    ("Provides-Extra", "feast"),
]
BINARY = (
    "cp311-cp311-manylinux_2_17_x86_64",
    "cp312-cp312-macosx_11_0_arm64",
    "cp312-cp312-win_amd64",
    "pp310-pypy310_pp73-musllinux_1_2_aarch64",
)
LONG_NAME = "pneumono" + "ultramicroscopic" * 5 + "silico-volcano-coniosis"


def _wensleydale(version: str, **more: object) -> Release:
    said = {"description": README, "headers": LINKS, "classifiers": TESTED, "source": True, **more}
    return Release("wensleydale", version, "Tastes crumbly cheese and tells how long it has aged", **said)  # type: ignore[arg-type]


RELEASES: Sequence[Release] = (
    *(_wensleydale(version) for version in ("0.9", "1.0", "1.1", "1.2", "2.0rc1")),
    _wensleydale("2.0", tags=("py3-none-any", *BINARY)),
    Release("gromit", "1.0", "Builds what is needed", GROMIT, "text/x-rst", classifiers=TESTED[2:5]),
    Release("gromit", "1.3", "Builds what is needed", GROMIT, "text/x-rst", classifiers=TESTED[2:5]),
    Release("crackers", "3.1", "Goes with cheese", PLAIN, "text/plain", classifiers=TESTED[:4]),
    Release("only-tasters", "0.1a1", "Not for everybody yet", "Only *pre-releases*."),
    Release("only-tasters", "0.1b2.dev3", "Not for everybody yet", "Only *pre-releases*."),
    Release("old-cellar", "4.2", "Nobody comes here any more", "# Old\n\nGo to `wensleydale`."),
    Release("mouldy-batch", "1.0", "Under suspicion", "# Mouldy"),
    Release("taken-back", "1.0", "Every release of it was a mistake", "# Sorry"),
    Release("taken-back", "1.1", "Every release of it was a mistake", "# Sorry"),
    Release("no-words"),
    Release(LONG_NAME, "2026.11.21.post1.dev20261121", "A name as long as " + "names get " * 20),
    Release("right-to-left", "1.0", "مكتبة صغيرة تتذوق الجبن", RTL),
    Release("wide-things", "1.0", "Tables, code and words wider than any window", WIDE),
    *(
        Release("many-releases", f"{number // 60}.{number % 60}", "Released on every day of the year")
        for number in range(300)
    ),
    *(
        Release(
            f"cheddar-{number:02}", "1.0", f"Cheddar of the cellar's shelf {number}", classifiers=TESTED[-5:]
        )
        for number in range(45)
    ),
)

YANKED = (
    ("wensleydale", "1.1", "Crumbles on import; use 1.2"),
    ("taken-back", "1.0", ""),
    ("taken-back", "1.1", "So is this one"),
)

STATUSES = (
    ("old-cellar", "archived", "No longer developed: take wensleydale."),
    ("mouldy-batch", "quarantined", "Somebody reported it."),
)
