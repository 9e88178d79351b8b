"""The list of all projects as answers of XML-RPC: what clients read out of them, however they were made."""

from __future__ import annotations

import gzip
from typing import Any
from xmlrpc.client import dumps, loads

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caching.blocks import Whole
from caching.buckets import Format, changed, gathered, written
from pypi.db import database as database_module
from pypi.db.database import DatabaseDown
from pypi.domain.names import normalize
from pypi.http.streams import of_blocks
from pypi.index.names import Names
from pypi.index.xmlrpc_lists import LIST_PACKAGES, LIST_PACKAGES_WITH_SERIAL
from tests.support.databases import ask


def read(whole: Whole) -> Any:
    """What a client makes of an answer; the same, whether it takes gzip or not."""
    plain = b"".join(whole.plain())
    assert gzip.decompress(b"".join(whole.packed())) == plain
    assert (len(plain), len(b"".join(whole.packed()))) == (whole.length, whole.packed_length)
    ((value,), method) = loads(plain.decode())
    assert method is None
    return value


def lines(projects: dict[str, int]) -> list[str]:
    return sorted(f"{normalize(name)}\t{name}\t{serial}" for name, serial in projects.items())


PROJECTS = st.dictionaries(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True),
    st.integers(0, 2**62),
    max_size=50,
).map(lambda found: {name: found[name] for name in {normalize(one): one for one in found}.values()})


@settings(max_examples=50, deadline=None)
@given(PROJECTS, PROJECTS)
def test_what_is_read(before: dict[str, int], after: dict[str, int]) -> None:
    """Names, and serials of any size, come out as they went in, also where much was there before."""
    buckets = gathered(lines(before))
    wholes = {form.name: written(buckets, form, 1) for form in (LIST_PACKAGES, LIST_PACKAGES_WITH_SERIAL)}
    assert read(wholes[LIST_PACKAGES.name]) == [line.split("\t")[1] for line in lines(before)]
    assert read(wholes[LIST_PACKAGES_WITH_SERIAL.name]) == before
    changes: dict[str, str | None] = {normalize(name): None for name in before}
    changes.update({line.partition("\t")[0]: line for line in lines(after)})
    later = changed(buckets, changes)
    for form, wanted in ((LIST_PACKAGES, [*after]), (LIST_PACKAGES_WITH_SERIAL, after)):
        found = read(written(later, form, 2, before=wholes[form.name]))
        assert (sorted(found) if form is LIST_PACKAGES else found) == (
            sorted(wanted) if form is LIST_PACKAGES else wanted
        )


@pytest.mark.parametrize("form", [LIST_PACKAGES, LIST_PACKAGES_WITH_SERIAL])
def test_what_needs_escapes(form: Format) -> None:
    """A name no standard allows does not break the answer."""
    whole = written(gathered(["a\ta<&>\"'b\t7"]), form, 1)
    assert list(read(whole)) == ["a<&>\"'b"]


@pytest.mark.parametrize(
    ("form", "value"),
    [(LIST_PACKAGES, ["Brie", "feta"]), (LIST_PACKAGES_WITH_SERIAL, {"Brie": 7, "feta": 9})],
)
def test_as_the_standard_library_says_it(form: Format, value: Any) -> None:
    """But for line ends, the answer is the one the standard library makes."""
    made = b"".join(written(gathered(["brie\tBrie\t7", "feta\tfeta\t9"]), form, 9).plain()).decode()
    assert made.replace("\n", "") == dumps((value,), methodresponse=True).replace("\n", "")


def publish(names: Names, serial: int, name: str) -> None:
    """What a publication leaves behind, as far as the list is concerned."""
    ask(
        names.database.dsn,
        f"INSERT INTO projects (name, normalized, look_alike, last_serial, created) "
        f"VALUES ('{name}', '{name.lower()}', '', {serial}, now()); "
        f"INSERT INTO journal VALUES ({serial}, '{name.lower()}', NULL, NULL, 'x', NULL, '{{}}', now())",
    )


async def test_the_latest(names: Names) -> None:
    """Whoever asks gets what was committed before, as a stream in both codings."""
    publish(names, 1, "Brie")
    assert read(await names.latest(LIST_PACKAGES)) == ["Brie"]
    publish(names, 2, "Asiago")
    whole = await names.latest(LIST_PACKAGES_WITH_SERIAL)
    assert read(whole) == {"Brie": 1, "Asiago": 2}
    stream = of_blocks(whole)
    assert stream.packed is not None
    assert b"".join([piece async for piece in stream.pieces()]) == b"".join(whole.plain())
    assert b"".join([piece async for piece in stream.packed.pieces()]) == b"".join(whole.packed())


async def test_only_what_is_asked_for(names: Names) -> None:
    """No representation takes memory before somebody wants it."""
    publish(names, 1, "Brie")
    listing = await names.current()
    await names.latest(LIST_PACKAGES)
    assert listing.is_written(LIST_PACKAGES)
    assert not listing.is_written(LIST_PACKAGES_WITH_SERIAL)


async def test_without_the_database(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database does not answer the last list is shown, for as long as the caller likes."""
    publish(names, 1, "Brie")
    await names.current()
    monkeypatch.setattr(database_module, "TRIES", 1)
    names.database._drop_idle()
    names.database.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    assert read(await names.latest(LIST_PACKAGES)) == ["Brie"]
    with pytest.raises(DatabaseDown):
        await names.latest(LIST_PACKAGES, stale_for=0)
