"""An index that never was: names and sizes of projects as a public index has them, the same for each seed.

Sizes follow a power law fitted to the public index of 2018, when it had 140,000 projects: ten files on
average, six in the middle, 3,000 at the top, whatever the number of projects. How often a project is asked
for follows Zipf's law; large projects are asked for more often than small ones, but not strictly so.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import log

from attrs import frozen

from benchmarks.distributions import WORDS
from pypi.domain.names import NormalizedName, normalize

MOST_FILES = 3000
STEEPNESS = 0.55
"""Of the power law: the file count of a project at the share ``q`` from the top is as ``q ** -STEEPNESS``."""

SCALE = MOST_FILES / float(140_000**STEEPNESS)

CONSONANTS, VOWELS = "bcdfghklmnprstvz", "aeiou"
FRAMES = ("{}", "{}", "py{}", "{}-py", "django-{}", "{}-client", "{}-api", "python-{}", "{}lib", "{}-tools")
JOINTS = ("-", "-", "-", "_", ".", "")


@frozen
class Block:
    """Further projects of one size, named ``exhibit-<files>-<number>``.

    Attributes:
        projects: how many of them.
        files: of each.
    """

    projects: int
    files: int

    def names(self) -> Iterator[NormalizedName]:
        """Their names."""
        for number in range(self.projects):
            yield NormalizedName(f"exhibit-{self.files}-{number:04}")


@frozen
class Shape:
    """How an index looks.

    Attributes:
        projects: with sizes by the power law.
        with_files: or only names, for lists.
        blocks: projects of given sizes, besides.
    """

    projects: int
    seed: int = 1
    with_files: bool = True
    blocks: tuple[Block, ...] = ()

    @property
    def key(self) -> str:
        """A name for it: equal shapes have equal ones."""
        blocks = "".join(f"-{block.projects}x{block.files}" for block in self.blocks)
        return f"{'files' if self.with_files else 'names'}-{self.projects}-seed-{self.seed}{blocks}"


SMALL = Shape(2000, blocks=(Block(4, 17), Block(4, 118), Block(400, 100), Block(60, MOST_FILES)))
"""Enough for single pages: of about 6 kB as HTML, of about 60 kB as JSON, and the largest."""

LARGE = Shape(140_000)


@frozen
class Project:
    """A project of the catalogue.

    Attributes:
        name: as displayed.
        files: how many it has.
        popularity: projects sorted by it, descending, are in the order of how often they are asked for.
    """

    name: str
    files: int
    popularity: float

    @property
    def normalized(self) -> NormalizedName:
        """As in URLs."""
        return normalize(self.name)


def projects(shape: Shape) -> Iterator[Project]:
    """Every project of a shape, in the order in which they were made."""
    source = random.Random(shape.seed)
    for block in shape.blocks:
        for name in block.names():
            yield Project(name, block.files, 0.0)
    places = list(range(1, shape.projects + 1))
    source.shuffle(places)
    for spelled, place in zip(_names(source, shape.projects), places, strict=True):
        files = _files(place / shape.projects) if shape.with_files else 0
        yield Project(spelled, files, source.gauss(0, 1.5) - log(place))


def by_popularity(shape: Shape, *, most: int = MOST_FILES) -> list[NormalizedName]:
    """The names of a shape's projects that are asked for, the most popular first.

    Args:
        most: files a project may have to be among them.
    """
    asked = (project for project in projects(shape) if project.popularity and project.files <= most)
    return [project.normalized for project in sorted(asked, key=lambda project: -project.popularity)]


def _files(share: float) -> int:
    """Files of the project at this share of all, from the largest (0) to the smallest (1)."""
    return max(1, min(MOST_FILES, round(SCALE * float(share**-STEEPNESS))))


def _names(source: random.Random, count: int) -> Iterator[str]:
    """So many names, no two of which are spellings of one."""
    words: list[str] = [*WORDS, *(_word(source) for _ in range(2000))]
    taken: set[NormalizedName] = set()
    while len(taken) < count:
        name = source.choice(FRAMES).format(source.choice(words))
        while normalize(name) in taken or source.random() < 0.2:
            name += source.choice(JOINTS) + source.choice(words)
        taken.add(normalize(name))
        yield name.title() if source.random() < 0.08 else name


def _word(source: random.Random) -> str:
    return "".join(source.choice(CONSONANTS) + source.choice(VOWELS) for _ in range(source.randint(2, 4)))
