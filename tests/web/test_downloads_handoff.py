"""Files that others send in our place: a real nginx in front, a bucket behind an S3 API."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import pytest_twisted
from attrs import frozen
from twisted.internet.threads import deferToThread

from tests.caching.turns import eventually
from tests.support import client
from tests.support.client import Headers, Reply
from tests.support.databases import Databases
from tests.support.index import Index, running
from tests.support.ports import free_port
from tests.web.test_downloads import DATA, ETAG, FILENAME, FOLDER, METADATA, PATH, SIZE

FRONT = "127.0.0.7"
"""Where the front's connections come from: the only address that is trusted."""

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")

DEPLOY = Path(__file__).parents[2] / "deploy" / "nginx" / "files.conf"
"""What operators are given."""

CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{index}; proxy_bind {front};
            proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
        }}
        include {folder}/files.conf;
    }}
}}
"""


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@frozen
class Front:
    """An index with one file, whose files nginx sends."""

    index: Index
    port: int

    async def get(self, headers: Headers = (), *, path: str = PATH, method: str = "GET") -> Reply:
        """Ask nginx."""
        return await client.ask(self.port, method, path, headers)

    async def as_nginx(self, path: str = PATH, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
        """Ask the index from the trusted address."""

        def ask() -> tuple[int, Any, bytes]:
            url = f"http://127.0.0.1:{self.index.port}{path}"
            opener = urllib.request.build_opener(From)
            try:
                answer = opener.open(urllib.request.Request(url, headers=headers, method=method), timeout=60)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                return answer.status, answer.headers, answer.read()

        return await deferToThread(ask)


class From(urllib.request.HTTPHandler):
    """Connects from ``FRONT``."""

    def http_open(self, request: urllib.request.Request) -> Any:
        def connection(host: str, **options: Any) -> Any:
            return http.client.HTTPConnection(host, source_address=(FRONT, 0), **options)

        return self.do_open(connection, request)  # type: ignore[arg-type]


@pytest_twisted.async_yield_fixture(scope="module")
async def front(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """The index with the file ``DATA``, and nginx in front of it."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    url, folder = databases.make(), tmp_path_factory.mktemp("front")
    settings = {"files__handoff": "x-accel", "service__trusted_proxies": FRONT}
    async with running(url, folder / "index", **settings) as index:
        assert (await index.upload(DATA, FILENAME)).status == 200
        port = free_port()
        text = CONFIGURATION.format(folder=folder, port=port, index=index.port, front=FRONT)
        (folder / "nginx.conf").write_text(text)
        published = DEPLOY.read_text().replace("/srv/cheeseshop/files/", f"{index.folder}/files/")
        (folder / "files.conf").write_text(published)
        folder.chmod(0o755)
        # Its messages go to its own log; what it says before it reads where that is goes nowhere.
        nginx = subprocess.Popen(  # noqa: ASYNC220
            [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL
        )
        try:
            await eventually(lambda: answers(port))
            yield Front(index, port)
        finally:
            nginx.terminate()
            nginx.wait(10)
    databases.drop(url)


async def test_by_nginx(front: Front) -> None:
    """What clients get through nginx is what they would get from us: bytes, type, freshness, validator."""
    reply = await front.get()
    assert (reply.status, reply.body) == (200, DATA)
    assert reply["Content-Type"] == "application/octet-stream"
    assert reply["Cache-Control"] == "max-age=31536000, public, immutable"
    assert reply["ETag"] == ETAG
    assert reply["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert (reply["Access-Control-Allow-Origin"], reply["X-Content-Type-Options"]) == ("*", "nosniff")
    assert "X-Accel-Redirect" not in reply
    assert (await front.get(path=f"{PATH}.metadata")).body == METADATA


async def test_parts_by_nginx(front: Front) -> None:
    """nginx cuts parts out of a file, and refuses those beyond its end."""
    reply = await front.get({"Range": "bytes=5-14"})
    assert (reply.status, reply.body) == (206, DATA[5:15])
    assert reply["Content-Range"] == f"bytes 5-14/{SIZE}"
    assert (await front.get({"Range": f"bytes={SIZE}-"})).status == 416


async def test_without_a_body_by_nginx(front: Front) -> None:
    """HEAD, and what the client has already, are answered without the file."""
    headed = await front.get(method="HEAD")
    assert (headed.status, headed["Content-Length"], headed.body) == (200, str(SIZE), b"")
    known = await front.get({"If-None-Match": ETAG})
    assert (known.status, known.body, known["ETag"]) == (304, b"", ETAG)
    assert (await front.get({"If-Match": '"other"'})).status == 412


async def test_what_is_not_there(front: Front) -> None:
    """There is no way to a file but its path, and none into the internal location."""
    other = PATH.replace(FILENAME, "other-1.0.tar.gz")
    assert (await front.get(path=other)).status == 404
    assert (await front.get(path=PATH.replace("/packages/", "/_files/"))).status == 404


async def test_what_nginx_is_told(front: Front) -> None:
    """A trusted proxy gets the place of the file instead of the file."""
    status, headers, body = await front.as_nginx()
    assert (status, body, headers["Content-Length"]) == (200, b"", "0")
    assert headers["X-Accel-Redirect"] == PATH.replace("/packages/", "/_files/")
    assert (headers["ETag"], headers["Content-Security-Policy"]) == (ETAG, "default-src 'none'; sandbox")
    status, headers, body = await front.as_nginx(Range="bytes=0-9")
    assert (status, body, headers["Content-Range"]) == (200, b"", None)
    for method, given, expected in [
        ("HEAD", {}, 200),
        ("GET", {"If-None-Match": ETAG}, 304),
        ("GET", {"Range": f"bytes={SIZE}-"}, 416),
    ]:
        status, headers, _ = await front.as_nginx(method=method, **given)
        assert (status, headers["X-Accel-Redirect"]) == (expected, None)


async def test_others_get_the_file(front: Front) -> None:
    """Whoever is no trusted proxy gets the bytes, and no word of the place."""
    reply = await front.index.ask(PATH)
    assert (reply.status, reply.body, "X-Accel-Redirect" in reply) == (200, DATA, False)


async def test_by_path(databases: Databases, tmp_path: Path) -> None:
    """For servers that know X-Sendfile the place is the path on the disk."""
    url = databases.make()
    settings = {"files__handoff": "x-sendfile", "service__trusted_proxies": "127.0.0.0/8"}
    async with running(url, tmp_path, **settings) as index:
        assert (await index.upload(DATA, FILENAME)).status == 200
        reply = await index.ask(PATH)
        assert reply["X-Sendfile"] == str(tmp_path / "files" / PATH.removeprefix("/packages/"))
        assert (reply.status, reply.body) == (200, b"")
    databases.drop(url)


KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real implementation of the S3 API on loopback, with a bucket ``cheese``."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(900):
            if answers(port):
                break
            time.sleep(0.1)
        boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket="cheese")
        yield url
    finally:
        server.terminate()
        server.wait(60)


async def test_redirected_to_the_bucket(endpoint: str, databases: Databases, tmp_path: Path) -> None:
    """Clients are sent to the bucket by a URL that is good for a while, and kept for less than that."""
    url = databases.make()
    settings = {
        "files__handoff": "redirect",
        "files__handoff_seconds": "100",
        "files__url": "s3://cheese/files",
        "files__s3_endpoint": endpoint,
        "files__s3_region": "us-east-1",
    }
    async with running(url, tmp_path, **settings) as index:
        assert (await index.upload(DATA, FILENAME)).status == 200
        reply = await index.ask(PATH)
        assert (reply.status, reply["Cache-Control"]) == (302, "max-age=50, public")
        where = urlsplit(reply["Location"])
        query = parse_qs(where.query)
        assert (query["X-Amz-Expires"], query["X-Amz-Algorithm"]) == (["100"], ["AWS4-HMAC-SHA256"])
        assert where.path == f"/cheese/files/{PATH.removeprefix('/packages/')}"

        def fetch() -> tuple[bytes, Any]:
            with urllib.request.urlopen(reply["Location"], timeout=60) as answer:
                return answer.read(), answer.headers

        body, headers = await deferToThread(fetch)
        assert body == DATA
        assert headers["Content-Type"] == "application/octet-stream"
        headed = await index.ask(PATH, method="HEAD")
        assert (headed.status, headed["Content-Length"]) == (200, str(SIZE))
        assert (await index.ask(PATH, {"If-None-Match": ETAG})).status == 304
        other = f"{FOLDER}/other-1.0.tar.gz"
        assert (await index.ask(other)).status == 404
        # Whoever is sent there downloads, as far as anybody here will know.
        await index.application.downloads.run()
        assert index.sql("SELECT count FROM file_downloads") == [(1,)]
    databases.drop(url)
