"""The rig itself: invariants that hold are found to hold, and each one broken is found broken."""

from __future__ import annotations

from pathlib import Path

from tests.support.invariants import check, listing, sweep, violations
from tests.support.rig import Upload, Victim, upload, wait_for


async def test_a_service_that_nobody_hurt_keeps_every_invariant(victim: Victim) -> None:
    """After plain uploads nothing is found, and the sweep takes nothing that is listed."""
    for wanted in (upload("alone"), upload("pair", "1.0"), upload("pair", "2.0", size=200_000)):
        assert victim.publish(wanted).status == 200
    await check(victim)
    entries, _ = listing(victim)
    assert entries.keys() == victim.acks.keys()
    assert len(entries) == 3


async def test_every_broken_invariant_is_found(victim: Victim) -> None:
    """Lost acks, missing or changed bytes and metadata, changed digests and leftovers are each told."""
    names = ("gone", "torn", "bare", "renamed", "astray")
    gone, torn, bare, renamed, astray = (upload(name) for name in names)
    for wanted in (gone, torn, bare, renamed, astray):
        assert victim.publish(wanted).status == 200
    await sweep(victim)
    empty = f"00/00/{'0' * 60}"
    place(victim, torn).write_bytes(torn.data[:-1] + b"!")
    place(victim, bare, ".metadata").unlink()
    place(victim, gone).unlink()
    victim.note(upload("unheard_of"))
    victim.sql("UPDATE files SET sha256 = repeat('0', 64) WHERE filename = %s", renamed.filename)
    place(victim, bare).with_name("stray-1.0.tar.gz").touch()
    victim.file(f".tmp/{'0' * 32}").touch()
    victim.file(empty).mkdir(parents=True)
    victim.sql(
        "INSERT INTO outbox (serial, kind, payload, due, created) VALUES (1, 'x', '{}', 'infinity', now())"
    )
    victim.sql(
        "INSERT INTO former_names (normalized, name, look_alike, project_id, since)"
        " SELECT 'torn', 'torn', '', id, now() FROM projects WHERE normalized = 'bare';"
        "UPDATE files SET former_name = 'never' WHERE filename = %s",
        astray.filename,
    )
    tell(victim)
    found = "\n".join(violations(victim))
    for told in (
        "unheard_of-1.0-py3-none-any.whl was acknowledged and is not listed",
        "gone-1.0-py3-none-any.whl is listed, and its download is a 404",
        "torn-1.0-py3-none-any.whl has other bytes than is said",
        "bare-1.0-py3-none-any.whl.metadata is listed, and its download is a 404",
        f"renamed-1.0-py3-none-any.whl was {renamed.sha256} and is {'0' * 64}",
        f"renamed-1.0-py3-none-any.whl is {renamed.sha256} in the ledger",
        "stray-1.0.tar.gz is left in the store",
        f".tmp/{'0' * 32} is left in the store",
        f"{empty} is left empty in the store",
        "1 errands are left in the outbox",
        "torn leads to two projects",
        "astray-1.0-py3-none-any.whl is of a name that its project never had",
    ):
        assert told in found


def tell(victim: Victim) -> None:
    """Have the caches forget all pages, and wait until they have."""
    told = """
        INSERT INTO journal (serial, action, tags, at)
        SELECT max(serial) + 1, 'rehearsal', array(SELECT DISTINCT unnest(tags) FROM journal), now()
          FROM journal"""
    victim.sql(told)
    assert wait_for(lambda: b"0" * 64 in victim.get("/simple/renamed/")[1])


def place(victim: Victim, wanted: Upload, ending: str = "") -> Path:
    """Where a listed file lies in the store."""
    entries, _ = listing(victim)
    return victim.file(entries[wanted.filename].path.removeprefix("/packages/") + ending)
