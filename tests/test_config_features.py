"""What the configuration says of features: which are off, and which are announced to go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from pypi.config import Config, ConfigError, load, shown
from pypi.domain.features import FEATURES
from pypi.domain.switches import Announcement

VARIABLE = "CHEESESHOP_LEGACY_ANNOUNCED"


def read(file: Path, text: str) -> Config:
    """A file of this text, read."""
    file.write_text(text)
    return load(file, environment={})


def problem(environment: Mapping[str, str]) -> str:
    """The one line of what is wrong."""
    with pytest.raises(ConfigError) as raised:
        load(environment=environment)
    [line] = str(raised.value).splitlines()
    return line


def test_a_family_is_every_feature_of_it() -> None:
    """A star stands for the rest of a name, and what is named twice is there once."""
    off = load(environment={"CHEESESHOP_LEGACY_OFF": "xmlrpc.*, xmlrpc.search"}).legacy.off
    assert off == tuple(name for name in FEATURES if name.startswith("xmlrpc."))
    assert set(load(environment={"CHEESESHOP_LEGACY_OFF": "*"}).legacy.off) == set(FEATURES)


def test_an_unknown_feature_is_refused_with_near_ones() -> None:
    """A name that is none stops the start, and those that were probably meant are told."""
    line = problem({"CHEESESHOP_LEGACY_OFF": "xmlrpc.serch"})
    assert line.startswith("legacy.off = 'xmlrpc.serch' (CHEESESHOP_LEGACY_OFF): allowed is the name of ")
    assert "'xmlrpc.serch' is none, near it are xmlrpc.search, " in line


@pytest.mark.parametrize("name", ["xml*", "nothing.*", ".*", "xmlrpc", "*.search"])
def test_what_is_no_family(name: str) -> None:
    """A star stands behind a dot, or alone."""
    assert "the name of a feature or of a family" in problem({"CHEESESHOP_LEGACY_OFF": name})


def test_announcements_as_toml_writes_days(tmp_path: Path) -> None:
    """Days are TOML's own or text; each of the two may stand alone, and a family goes as one."""
    config = read(
        tmp_path / "x.toml",
        "[legacy.announced]\n"
        '"simple.html" = { sunset = 2027-06-01 }\n'
        '"feeds.*" = { deprecated = "2026-12-01" }\n',
    )
    feed = Announcement(date(2026, 12, 1), None)
    assert config.legacy.announced == {
        "simple.html": Announcement(None, date(2027, 6, 1)),
        **dict.fromkeys(("feeds.updates", "feeds.packages", "feeds.project"), feed),
    }


def test_announcements_are_shown_as_the_environment_has_them() -> None:
    """What ``config show`` prints can be put into the environment again."""
    told = "simple.html=/2027-06-01, xmlrpc.search=2026-12-01/2027-06-01, simple.json=2026-12-01/"
    config = load(environment={VARIABLE: told})
    [printed] = [text for key, text, _ in shown(config) if key.variable == VARIABLE]
    assert load(environment={VARIABLE: printed}).legacy.announced == config.legacy.announced


@pytest.mark.parametrize(
    ("told", "allowed"),
    [
        ("xmlrpc.serch=2026-12-01", "the name of a feature"),
        ("xmlrpc.search=", "for xmlrpc.search a day deprecated, a day sunset, or both"),
        ("xmlrpc.search=soon", "for xmlrpc.search a day such as 2027-06-01"),
        ("xmlrpc.search=2026-12-01/2026-11-30", "a sunset that is not before it is deprecated"),
        ("xmlrpc.search", "a table of"),
    ],
)
def test_announcements_that_are_none(told: str, allowed: str) -> None:
    """What is wrong with an announcement is told."""
    assert allowed in problem({VARIABLE: told})


@pytest.mark.parametrize(
    "text",
    [
        "{ sunset = 2027-06-01T12:00:00Z }",
        "{ sunset = 2027 }",
        "{ gone = 2027-06-01 }",
        "2027-06-01",
        "{}",
    ],
)
def test_tables_that_are_none(tmp_path: Path, text: str) -> None:
    """An announcement in a file is a table of whole days."""
    with pytest.raises(ConfigError, match=r"allowed is for simple\.html a day"):
        read(tmp_path / "x.toml", f'[legacy.announced]\n"simple.html" = {text}\n')
