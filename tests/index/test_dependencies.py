"""What a release needs, group by group, within bounds."""

from __future__ import annotations

from pypi.domain.metadata import Metadata
from pypi.index.dependencies import MOST_EXTRAS, MOST_LISTED, MOST_TAKEN_APART, Needs, needed_always, needs


def test_groups() -> None:
    """What is needed anyhow comes first, then each extra: those that are announced, then those only used."""
    said = Metadata(
        requires_dist=(
            "Bread_Roll",
            "wine; extra == 'Party.Time' or extra == 'work'",
            "knife>1; extra == 'work'",
            "bread-roll>2; os_name == 'nt'",
            "??",
        ),
        provides_extra=("party-time", "Nothing"),
        requires_external=("corkscrew",),
    )
    found = needs(said)
    assert [(group.extra, [one.written for one in group.needed]) for group in found.groups] == [
        ("", ["Bread_Roll", "bread-roll>2; os_name == 'nt'", "??"]),
        ("party-time", ["wine; extra == 'Party.Time' or extra == 'work'"]),
        ("nothing", []),
        ("work", ["wine; extra == 'Party.Time' or extra == 'work'", "knife>1; extra == 'work'"]),
    ]
    assert found.names == ["bread-roll", "wine", "knife"]
    assert found.outside == ("corkscrew",)
    assert found.left_out == 0


def test_needed_always() -> None:
    """What is needed without an extra is counted once for each project, however often it is spelled."""
    lines = (
        "A.b>1; os_name == 'nt'",
        "a-b",
        " c[extra]",
        "d; extra == 'x'",
        "extra-e",
        "f;\n extra=='x'",
        "!",
    )
    assert needed_always(lines) == 3
    assert needed_always(()) == 0


def test_nothing() -> None:
    """What needs nothing has no groups."""
    assert needs(Metadata()) == Needs(())


def test_bounds() -> None:
    """Of very many lines it is said how many were left out."""
    count = MOST_TAKEN_APART + 7
    many = tuple(f"need{n}; extra == 'x{n}'" for n in range(count))
    found = needs(Metadata(requires_dist=many, provides_extra=tuple(f"y{n}" for n in range(count))))
    assert found.left_out == 7
    assert len(found.groups) == MOST_TAKEN_APART + MOST_EXTRAS
    each = " or ".join(f"extra == '{n}'" for n in range(100))
    found = needs(Metadata(requires_dist=tuple(f"need{n}; {each}" for n in range(count))))
    assert sum(len(group.needed) for group in found.groups) == MOST_LISTED
    assert found.left_out == count - MOST_LISTED // 100
