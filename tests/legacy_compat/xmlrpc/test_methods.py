"""Every method: what it answers, and what it says to calls that are none of its."""

from __future__ import annotations

from typing import Any
from xmlrpc.client import Fault

import pytest

from legacy_compat.xmlrpc.methods import TABLE
from pypi.domain.features import FEATURES
from tests.legacy_compat.xmlrpc.calling import call
from tests.support.index import Index

JANUARY = 1577836800
"""2020-01-01 00:00:00 UTC."""
DAY = 86400

CHANGES = [
    ["empty", None, JANUARY, "create", 1],
    ["other", "1", JANUARY + 2 * DAY, "new release", 5],
    ["Golden.Cheese", "1.10", JANUARY + 3 * DAY, "add source file <x>", 3000000012],
]

ANSWERS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("list_packages", (), ["empty", "Golden.Cheese", "other"]),
    ("list_packages_with_serial", (), {"empty": 1, "Golden.Cheese": 3000000012, "other": 5}),
    ("package_releases", ("golden_cheese",), ["1.10"]),
    ("package_releases", ("Golden.Cheese", True), ["3.0", "2.0a1", "1.10", "1.9", "1.0"]),
    ("package_releases", ("Golden.Cheese", 1), ["3.0", "2.0a1", "1.10", "1.9", "1.0"]),
    ("package_releases", ("unknown", False), []),
    ("package_releases", ("poison", True), []),
    ("release_urls", ("golden-cheese", "1.9"), []),
    ("release_urls", ("unknown", "1"), []),
    ("release_data", ("golden-cheese", "7"), {}),
    ("release_data", ("poison", "1"), {}),
    ("package_data", ("unknown", "1"), {}),
    ("package_hosting_mode", ("anything",), "pypi-only"),
    (
        "release_downloads",
        ("golden.cheese", "1.10"),
        [["golden_cheese-1.10-py3-none-any.whl", 0], ["golden_cheese-1.10.tar.gz", 0]],
    ),
    ("package_roles", ("Golden_Cheese",), [["Owner", "Bob"], ["Owner", "ada"], ["Maintainer", "zoe"]]),
    ("package_roles", ("unknown",), []),
    ("user_packages", ("bob",), [["Owner", "Golden.Cheese"], ["Maintainer", "other"]]),
    ("user_packages", ("nobody",), []),
    ("browse", (["One :: Two", "Three"],), [["Golden.Cheese", "1.10"], ["Golden.Cheese", "1.9"]]),
    ("browse", (["Three", "Three"],), [["Golden.Cheese", "1.10"], ["Golden.Cheese", "1.9"], ["other", "1"]]),
    ("browse", (["Three", "Four"],), []),
    ("browse", ([],), []),
    ("browse", (["Three", 4],), []),
    ("top_packages", (), []),
    ("top_packages", (10,), []),
    ("top_packages", (None,), []),
    ("changelog_last_serial", (), 3000000012),
    ("changelog_since_serial", (0,), CHANGES),
    ("changelog_since_serial", (1,), CHANGES[1:]),
    ("changelog_since_serial", (3000000012.0,), []),
    ("changelog_since_serial", (3000000011.0,), CHANGES[2:]),
    ("changelog_since_serial", (1e300,), []),
    ("changelog_since_serial", (-5,), CHANGES),
    ("changelog", (JANUARY,), [line[:4] for line in CHANGES[1:]]),
    ("changelog", (JANUARY - 0.5, True), CHANGES),
    ("changelog", (-1, True), CHANGES),
    ("changelog", (1e300, True), []),
    (
        "updated_releases",
        (JANUARY + 3 * DAY,),
        [["Golden.Cheese", "3.0"], ["other", "1"]],
    ),
    ("changed_packages", (JANUARY + DAY,), ["Golden.Cheese", "other"]),
    ("system.methodSignature", ("package_releases",), [["array", "string"], ["array", "string", "boolean"]]),
    ("system.methodHelp", ("release_data",), TABLE["release_data"].help),
    ("system.listMethods", (), sorted(TABLE.methods)),
]


@pytest.mark.parametrize(("method", "arguments", "expected"), ANSWERS)
async def test_answers(index: Index, method: str, arguments: tuple[Any, ...], expected: Any) -> None:
    """Each method answers what it always did, the second time out of memory."""
    assert await call(index, method, *arguments) == expected
    assert await call(index, method, *arguments, path="/RPC2/") == expected


@pytest.mark.parametrize("method", ["release_urls", "package_urls"])
async def test_files_of_a_release(index: Index, method: str) -> None:
    """A file has every key it ever had, its size beyond 32 bits, and a URL of this index."""
    first, second = await call(index, method, "golden-cheese", "1.10.0")
    digits = "1" * 64
    path = f"{digits[:2]}/{digits[2:4]}/{digits[4:]}/golden_cheese-1.10-py3-none-any.whl"
    assert first == {
        "filename": "golden_cheese-1.10-py3-none-any.whl",
        "packagetype": "bdist_wheel",
        "python_version": "py3",
        "size": 1500000000,
        "md5_digest": "0" * 32,
        "sha256_digest": digits,
        "digests": {"md5": "0" * 32, "sha256": digits},
        "has_sig": False,
        "upload_time": "2026-02-03T04:05:06Z",
        "upload_time_iso_8601": "2026-02-03T04:05:06.000789Z",
        "comment_text": "so & so",
        "downloads": -1,
        "path": path,
        "url": f"https://index.example/packages/{path}",
    }
    assert (second["filename"], second["size"]) == ("golden_cheese-1.10.tar.gz", 3000000000)


@pytest.mark.parametrize("method", ["release_data", "package_data"])
async def test_data_of_a_release(index: Index, method: str) -> None:
    """A release has every key it ever had, filled from its core metadata."""
    found = await call(index, method, "golden-cheese", "1.10")
    told = {key: value for key, value in found.items() if value not in ("", [], None)}
    assert told == {
        "name": "Golden.Cheese",
        "version": "1.10",
        "package_url": "https://index.example/project/Golden.Cheese/",
        "release_url": "https://index.example/project/Golden.Cheese/1.10/",
        "summary": "Ein <Käse> & mehr",
        "description": "Long <b>text</b>\r\nand more",
        "author": "Ada",
        "keywords": "a, b",
        "platform": "any",
        "project_url": ["Home, https://cheese.example"],
        "requires_dist": ["other>=1"],
        "requires_python": ">=3",
        "classifiers": ["One :: Two", "Three"],
        "_pypi_ordering": 2,
        "downloads": {"last_day": -1, "last_week": -1, "last_month": -1},
    }
    assert {key for key, value in found.items() if value is None} == {
        *("stable_version", "bugtrack_url", "docs_url", "cheesecake_code_kwalitee_id"),
        *("cheesecake_documentation_id", "cheesecake_installability_id"),
    }


FAULTS: list[tuple[str, tuple[Any, ...], int, str]] = [
    ("no_such_thing", (), -32601, "server error; requested method not found"),
    ("system.methodHelp", ("nothing",), -32601, "server error; requested method not found"),
    ("package_roles", (), -32602, "client error; package_name: Missing required argument"),
    ("package_roles", ("a", "b"), -32602, "client error; 1: Unexpected positional argument"),
    (
        "release_data",
        (1,),
        -32602,
        "client error; package_name: Input should be a valid string; version: Missing required argument",
    ),
    ("changelog_since_serial", ("1",), -32602, "client error; serial: Input should be a valid integer"),
    ("changelog_since_serial", (1.5,), -32602, "client error; serial: Input should be a valid integer"),
    ("changelog_since_serial", (True,), -32602, "client error; serial: Input should be a valid integer"),
    ("changelog_since_serial", (None,), -32602, "client error; serial: Input should be a valid integer"),
    ("changelog", ("now",), -32602, "client error; since: Input should be a valid number"),
    ("package_releases", ("a", 2), -32602, "client error; show_hidden: Input should be a valid boolean"),
    ("browse", ("Three",), -32602, "client error; classifiers: Input should be a valid list"),
    ("search", ("six",), -32602, "client error; spec: Input should be a valid dictionary"),
    (
        "post_cheesecake_for_release",
        ("a", "1", 5, "secret"),
        -32500,
        "RuntimeError: Ratings of releases are no longer taken. Nothing has taken their place.",
    ),
]


@pytest.mark.parametrize(("method", "arguments", "code", "sentence"), FAULTS)
async def test_faults(
    index: Index, method: str, arguments: tuple[Any, ...], code: int, sentence: str
) -> None:
    """What cannot be answered is a fault, with code and words that clients know."""
    with pytest.raises(Fault) as caught:
        await call(index, method, *arguments)
    assert (caught.value.faultCode, caught.value.faultString) == (code, sentence)


def test_every_method_is_a_feature() -> None:
    """Whatever can be called is counted, and can be switched off, by its name."""
    features = {name.removeprefix("xmlrpc.") for name in FEATURES if name.startswith("xmlrpc.")}
    assert features - {"other"} == set(TABLE.methods)


async def test_every_method_has_help(index: Index) -> None:
    """Whatever can be called says what it is for, and how."""
    for name in await call(index, "system.listMethods"):
        assert (await call(index, "system.methodHelp", name)).endswith((".", "best."))
        assert all(isinstance(one, str) for one in (await call(index, "system.methodSignature", name))[0])
