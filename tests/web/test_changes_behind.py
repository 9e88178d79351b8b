"""The change feed behind real proxies: none holds it back, keeps it, or takes its parameters away."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from tests.support import client
from tests.support.index import Index, eventually
from tests.support.ports import free_port
from tests.support.varnish import VarnishServer
from tests.web.test_changes import MORE, following, publish
from tests.web.test_downloads_handoff import NGINX

CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; gzip on; gzip_types *; gzip_min_length 0;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{index}; proxy_http_version {version};
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""

Proxy = Callable[[Index, Path], AbstractContextManager[int]]


@contextmanager
def varnish(index: Index, folder: Path) -> Iterator[int]:
    """Varnish with our VCL; the port where it answers."""
    server = VarnishServer(folder / "varnish", index.port)
    try:
        yield server.start().port
    finally:
        server.end()


def nginx(version: str) -> Proxy:
    """An nginx that buffers what it may, and speaks this version of HTTP with the index."""

    @contextmanager
    def proxy(index: Index, folder: Path) -> Iterator[int]:
        if NGINX is None:
            pytest.skip("nginx is not installed")
        port = free_port()
        text = CONFIGURATION.format(folder=folder, port=port, index=index.port, version=version)
        (folder / "nginx.conf").write_text(text)
        process = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"])
        try:
            yield port
        finally:
            process.terminate()
            process.wait(10)

    return proxy


@pytest.mark.parametrize("proxy", [varnish, nginx("1.0"), nginx("1.1")], ids=["varnish", "nginx", "nginx11"])
async def test_nothing_is_held_back(new_index: Index, tmp_path: Path, proxy: Proxy) -> None:
    """Each of several clients gets each change while its stream goes on; pages are the index's own."""
    new_index.sql(MORE.format(1, 25))
    with proxy(new_index, tmp_path) as port:
        await eventually(lambda: is_open(port))
        async with (
            following(new_index, "?since=24", port=port) as one,
            following(new_index, "?since=25", port=port) as other,
        ):
            assert await one.has(1) == [25]
            await publish(new_index, "x")
            assert await one.has(5) == [25, 26, 27, 28, 29]
            assert await other.has(4) == [26, 27, 28, 29]
            waiting = Deferred.fromCoroutine(client.ask(port, "GET", "/api/changes?since=29&wait=20"))
            await eventually(lambda: new_index.application.tail._waiting)
            await publish(new_index, "y")
            found = (await waiting).json()["changes"]
            assert [change["serial"] for change in found] == [30, 31, 32, 33]
        page = await client.ask(port, "GET", "/api/changes?since=7&limit=3")
        assert [change["serial"] for change in page.json()["changes"]] == [8, 9, 10]


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    listening = f":{port:04X} 00000000:0000 0A"
    return listening in Path("/proc/net/tcp").read_text()
