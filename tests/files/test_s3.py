"""The S3 store: the contract against a real S3 API over HTTP, and faults of an API that misbehaves."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import boto3
import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import deferLater

from caching import breaker
from pypi.domain.errors import StorageFailed, StorageFull, Unavailable
from pypi.files import s3
from pypi.files.paths import store_path
from pypi.files.s3 import S3Files
from pypi.files.s3_client import TRIES, S3Settings
from pypi.files.spool import Spool
from pypi.files.store import PIECE, FileStore, StoredFile
from tests.contracts.file_store import (
    LIMIT,
    FileStoreContract,
    content,
    listed,
    path_of,
    put,
    read,
    spooled,
)
from tests.files.stub_s3 import StubS3
from tests.support.ports import free_port

MiB = 1 << 20
KEYS = {"access_key": "testing", "secret_key": "testing", "region": "us-east-1"}
buckets = count()

NEVER = 10**6
"""Failures after which a breaker opens."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A real implementation of the S3 API, in a process of its own on loopback."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 90
        while not answers(url):
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.fixture
def api(endpoint: str) -> Any:
    """A client of the API that is not the store's."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest_twisted.async_yield_fixture(scope="module")
async def any_bucket(endpoint: str) -> AsyncIterator[S3Files]:
    """A store; the client is made once, since that takes long."""
    settings = S3Settings(bucket="none", prefix="some/prefix", endpoint_url=endpoint, **KEYS)
    made = S3Files(settings, reactor, threads=4, parts_from=5 * MiB)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def store(any_bucket: S3Files, api: Any) -> S3Files:
    """A store of an empty bucket."""
    bucket = f"bucket-{next(buckets)}"
    api.create_bucket(Bucket=bucket)
    any_bucket.settings = any_bucket._bucket.settings = evolve(any_bucket.settings, bucket=bucket)
    return any_bucket


class TestS3Files(FileStoreContract):
    """The contract, kept by a bucket."""


async def test_objects_lie_below_the_prefix(store: S3Files, spool: Spool, api: Any) -> None:
    """The key of a file is the prefix and its path; its checksum is kept by the API."""
    path = await put(store, spool, b"data")
    found = api.head_object(Bucket=store.settings.bucket, Key=f"some/prefix/{path}", ChecksumMode="ENABLED")
    assert found["ContentType"] == "application/octet-stream"
    assert found["ChecksumSHA256"]


async def test_large_files_go_in_parts(store: S3Files, spool: Spool, api: Any) -> None:
    """A file beyond the bound is sent in parts, and read back whole and in part."""
    data = Random(5).randbytes(2 * s3.PART_SIZE + 1)
    path = await put(store, spool, data)
    found = api.head_object(Bucket=store.settings.bucket, Key=f"some/prefix/{path}")
    assert found["ETag"].endswith('-3"')
    file = await store.open(path)
    assert file.size == len(data)
    assert await content(file, s3.PART_SIZE - 10, 20) == data[s3.PART_SIZE - 10 : s3.PART_SIZE + 10]
    assert await content(file) == data
    assert list(spool.folder.iterdir()) == []


async def test_walk_goes_on_after_a_page(
    store: S3Files, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket with more objects than a listing holds is walked to its end; strange keys are passed over."""
    monkeypatch.setattr("pypi.files.bucket.PAGE", 3)
    paths = sorted([await put(store, spool, b"%d" % n) for n in range(8)])
    store._bucket._client.put_object(Bucket=store.settings.bucket, Key="some/prefix/strange", Body=b"")
    assert [one.path for one in await listed(store)] == paths


async def test_tidying_forgets_parts_of_old_uploads(store: S3Files, api: Any) -> None:
    """Parts whose upload was begun long ago are removed; those of a recent one stay."""
    key = f"some/prefix/{path_of(b'x')}"
    api.create_multipart_upload(Bucket=store.settings.bucket, Key=key)
    assert await store.tidy(time.time() - 24 * 365 * 3600 * 50) == 0
    assert await store.tidy(time.time() + 24 * 3600) == 1
    assert "Uploads" not in api.list_multipart_uploads(Bucket=store.settings.bucket)


async def test_memory_does_not_grow_with_the_file(store: S3Files, spool: Spool) -> None:
    """100 MiB go in and come out while at most a few MiB are held."""
    file = await spool.create(LIMIT)
    block = Random(7).randbytes(MiB // 2)
    for _ in range(200):
        await file.write(block)
    done = await file.finish()
    path = store_path(done.blake2_256, "x-1.tar.gz")
    assert await store.size(path) is None
    tracemalloc.start()
    try:
        await store.put(path, done)
        _, peak_of_put = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        total = 0
        async for piece in (await store.open(path)).read():
            assert len(piece) <= PIECE
            total += len(piece)
        _, peak_of_read = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == done.size == 100 * MiB
    assert peak_of_put < 12 * MiB
    assert peak_of_read - before < 6 * MiB


@pytest.fixture(scope="module")
def one_stub() -> Iterator[StubS3]:
    with StubS3() as made:
        yield made


@pytest_twisted.async_yield_fixture(scope="module")
async def fragile_store(one_stub: StubS3) -> AsyncIterator[S3Files]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(breaker, "FAILURES", NEVER)
        made = S3Files(
            S3Settings(
                bucket="bucket", endpoint_url=one_stub.url, connect_timeout=10, read_timeout=1, **KEYS
            ),
            reactor,
            threads=4,
            parts_from=MiB,
        )
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """One try follows the other at once."""
    monkeypatch.setattr(
        "botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0.0
    )


@pytest.fixture
def stub(one_stub: StubS3) -> Iterator[StubS3]:
    """An API that misbehaves when told to."""
    one_stub.reset()
    yield one_stub
    one_stub.released.set()


@pytest.fixture
def fragile(fragile_store: S3Files, stub: StubS3, monkeypatch: pytest.MonkeyPatch) -> S3Files:
    """A store on the API that misbehaves; its breaker stays closed, its parts are small."""
    monkeypatch.setattr(s3, "PART_SIZE", MiB)
    monkeypatch.setattr(breaker, "FAILURES", NEVER)
    return fragile_store


def always(kind: str, fault: str) -> Any:
    return lambda asked: fault if asked == kind else ""


def once(kind: str, fault: str) -> Any:
    faults = iter([fault])
    return lambda asked: next(faults, "") if asked == kind else ""


SMALL = b"bytes of a wheel"
LARGE = Random(9).randbytes(MiB + 1)


@pytest.mark.parametrize(
    ("data", "kind", "fault", "tries"),
    [
        (SMALL, "put", "500", TRIES),
        (SMALL, "put", "503", TRIES),
        (SMALL, "put", "stall", TRIES),
        (SMALL, "put", "hang up", TRIES),
        (SMALL, "put", "error in 200", TRIES),
        (SMALL, "put", "empty 200", 1),
        (SMALL, "put", "403", 1),
        (SMALL, "put", "lose", 1),
        (SMALL, "put", "damage", 1),
        (SMALL, "put", "cut", 1),
        (SMALL, "head", "500", TRIES),
        (LARGE, "begin", "500", TRIES),
        (LARGE, "begin", "error in 200", TRIES),
        (LARGE, "part", "503", None),
        (LARGE, "part", "lose", None),
        (LARGE, "part", "damage", None),
        (LARGE, "complete", "500", TRIES),
        (LARGE, "complete", "error in 200", TRIES),
        (LARGE, "complete", "stall", TRIES),
        (LARGE, "complete", "empty 200", None),
        (LARGE, "complete", "lose", 1),
    ],
)
async def test_put_is_never_acknowledged_falsely(
    fragile: S3Files, spool: Spool, stub: StubS3, data: bytes, kind: str, fault: str, tries: int | None
) -> None:
    """Whatever the API does wrong for good: the put is refused after a bounded number of tries."""
    stub.misbehave = always(kind, fault)
    file = await spooled(spool, data)
    with pytest.raises(StorageFailed):
        await fragile.put(path_of(data), file)
    assert file.path.exists(), "the caller may try again"
    if tries is not None:
        assert stub.requests.count(kind) == tries
    assert stub.requests.count(kind) <= 2 * TRIES
    if data is LARGE and kind != "begin":
        assert stub.parts == {}
    stub.misbehave = always("", "")
    await fragile.put(path_of(data), file)
    assert stub.objects[path_of(data)] == data


@pytest.mark.parametrize("fault", ["lose", "damage", "cut"])
async def test_without_checksums_the_etag_tells(
    fragile: S3Files, spool: Spool, stub: StubS3, fault: str
) -> None:
    """An API that keeps no SHA-256 is checked by size and MD5."""
    stub.has_checksums = False
    await put(fragile, spool, SMALL)
    stub.misbehave = always("put", fault)
    with pytest.raises(StorageFailed):
        await put(fragile, spool, b"other bytes")


async def test_full_bucket(fragile: S3Files, spool: Spool, stub: StubS3) -> None:
    """A bucket that has no room is told from one that does not answer."""
    stub.misbehave = always("put", "507")
    with pytest.raises(StorageFull):
        await put(fragile, spool, SMALL)


@pytest.mark.parametrize(
    ("data", "kind", "fault"),
    [
        (SMALL, "put", "500"),
        (SMALL, "put", "503"),
        (SMALL, "put", "stall"),
        (SMALL, "put", "hang up"),
        (SMALL, "put", "error in 200"),
        (SMALL, "head", "500"),
        (LARGE, "begin", "503"),
        (LARGE, "part", "500"),
        (LARGE, "part", "hang up"),
        (LARGE, "complete", "500"),
        (LARGE, "complete", "hang up"),
        (LARGE, "complete", "error in 200"),
    ],
)
async def test_passing_fault_is_overcome(
    fragile: S3Files, spool: Spool, stub: StubS3, data: bytes, kind: str, fault: str
) -> None:
    """A fault that does not come again is overcome by trying again."""
    stub.misbehave = once(kind, fault)
    path = await put(fragile, spool, data)
    assert stub.objects[path] == data


@pytest.mark.parametrize("fault", ["truncate", "stall inside", "stall", "500", "hang up"])
async def test_broken_off_answer_is_resumed(fragile: S3Files, spool: Spool, stub: StubS3, fault: str) -> None:
    """An answer that breaks off is asked for again from where it ended; the reader notices nothing."""
    data = Random(2).randbytes(3 * PIECE)
    path = await put(fragile, spool, data)
    stub.misbehave = once("get", fault)
    assert await read(fragile, path) == data
    assert stub.requests.count("get") == 2


async def collect(file: StoredFile, into: list[bytes]) -> None:
    async for piece in file.read():
        into.append(piece)


@pytest.mark.parametrize("fault", ["truncate", "stall inside", "500", "hang up", "other range"])
async def test_reading_what_always_breaks_off_fails(
    fragile: S3Files, spool: Spool, stub: StubS3, fault: str
) -> None:
    """An answer that never comes whole ends in a refusal, after no bytes that are not the file's."""
    data = Random(3).randbytes(PIECE)
    file = await fragile.open(await put(fragile, spool, data))
    stub.misbehave = always("get", fault)
    got: list[bytes] = []
    with pytest.raises(StorageFailed):
        await collect(file, got)
    assert data.startswith(b"".join(got))
    # Half of the rest comes each time: that is progress, down to the last byte.
    assert stub.requests.count("get") <= (40 if fault == "truncate" else TRIES)


async def test_nothing_is_acknowledged_falsely_under_random_faults(
    fragile: S3Files, spool: Spool, stub: StubS3
) -> None:
    """Among many puts with random faults, every acknowledged one is stored byte for byte."""
    random = Random(23)
    faults = ["", "", "", "500", "503", "hang up", "error in 200", "empty 200", "lose", "damage", "cut"]
    stub.misbehave = lambda asked: random.choice(faults) if random.random() < 0.7 else ""
    acknowledged = 0
    for n in range(100):
        data = b"%d" % n * 100
        try:
            path = await put(fragile, spool, data)
        except Unavailable:
            continue
        acknowledged += 1
        assert stub.objects[path] == data
    assert 10 < acknowledged < 90


async def test_bucket_that_keeps_failing_is_left_alone(
    stub: StubS3, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few failures calls are refused without asking; when the bucket is back, they work again."""
    monkeypatch.setattr(breaker, "REST", 0.5)
    store = S3Files(S3Settings(bucket="bucket", endpoint_url=stub.url, **KEYS), reactor)
    await store.start()
    stub.misbehave = always("head", "500")
    for _ in range(breaker.FAILURES + 20):
        with pytest.raises(StorageFailed):
            await store.size(path_of(b"x"))
    assert len(stub.requests) < (breaker.FAILURES + 3) * TRIES
    assert "resting" in repr(store)
    stub.misbehave = always("", "")
    for _ in range(100):
        try:
            assert await store.size(path_of(b"x")) is None
            break
        except StorageFailed:
            await deferLater(reactor, 0.05)
    assert "resting" not in repr(store)
    await store.stop()


async def test_stalled_bucket_holds_up_no_more_than_its_threads(
    fragile: S3Files, spool: Spool, stub: StubS3
) -> None:
    """Calls to a bucket that does not answer end within their times; the spool is not held up by them."""
    stub.misbehave = always("head", "stall")
    calls = [Deferred.fromCoroutine(fragile.size(path_of(b"x"))) for _ in range(6)]
    await spooled(spool, b"x" * MiB)
    outcomes = await DeferredList(calls, consumeErrors=True)
    assert [type(failure.value) for _, failure in outcomes] == [StorageFailed] * 6


async def test_nobody_listens() -> None:
    """An address where nothing listens is a refusal, not a traceback; starting and stopping do not mind."""
    store: FileStore = S3Files(
        S3Settings(bucket="bucket", endpoint_url="http://127.0.0.1:9", **KEYS), reactor
    )
    await store.start()
    with pytest.raises(StorageFailed):
        await store.size(path_of(b"x"))
    await store.stop()


async def test_without_credentials(stub: StubS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Missing credentials are a refusal whose cause names them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    store = S3Files(S3Settings(bucket="bucket", endpoint_url=stub.url, region="us-east-1"), reactor)
    await store.start()
    with pytest.raises(StorageFailed) as refused:
        await store.size(path_of(b"x"))
    assert "credentials" in str(refused.value.__cause__)
    await store.stop()


@pytest.mark.parametrize(
    ("url", "bucket", "prefix"),
    [
        ("s3://packages", "packages", ""),
        ("s3://packages/", "packages", ""),
        ("s3://packages/some/prefix/", "packages", "some/prefix"),
    ],
)
def test_settings_of_a_url(url: str, bucket: str, prefix: str) -> None:
    """A URL names bucket and prefix; what is empty is left to boto3."""
    assert S3Settings.from_url(url, endpoint_url="", region="") == S3Settings(bucket=bucket, prefix=prefix)


@pytest.mark.parametrize(
    "url", ["", "s3://", "s3:///prefix", "https://packages", "s3://a", "s3://Big_Name/x"]
)
def test_other_urls_are_no_settings(url: str) -> None:
    """What is no URL of a bucket is refused with the form asked for."""
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        S3Settings.from_url(url)


def test_secrets_do_not_show() -> None:
    """The secret key is in no log."""
    settings = S3Settings(bucket="bucket", access_key="open", secret_key="sesame")
    assert "sesame" not in repr(settings)
    assert "sesame" not in repr(S3Files(settings, reactor))


def test_boto3_is_loaded_late() -> None:
    """Whoever imports the store does not load boto3, which is as large as everything else together."""
    check = "import sys, pypi.files.s3; sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
