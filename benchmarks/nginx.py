"""nginx with the pages as files: in an ordinary good configuration, and in the best one found.

*Ordinary*: sendfile, tcp_nopush, open_file_cache, gzip_static, no access log; which page a client gets is
decided by a map on Accept and a rewrite. *Best*: the client is so kind as to ask for the file itself, so
nothing is decided or rewritten; no sendfile, no tcp_nopush (three system calls for a request in place of
six), and that a file is not there is remembered, too.
"""

from __future__ import annotations

import getpass
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from benchmarks.figure import BenchmarkFailed
from benchmarks.machine import free_port, pinned
from benchmarks.processes import Running, running

START = 10.0
READY = r"start worker process \d+"
SYSTEM_FOLDER = "/usr/sbin"
"""Where Debian has it, and an ordinary user's PATH has not."""

MAIN = """\
daemon off;
{user}
worker_processes {workers};
worker_rlimit_nofile {descriptors};
error_log stderr notice;
pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
    types {{ text/html html; application/vnd.pypi.simple.v1+json json; }}
    default_type application/octet-stream;
    charset utf-8;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    open_file_cache max={cached} inactive=1h;
    open_file_cache_valid 1h;
    open_file_cache_min_uses 1;
    gzip_static on;
    gzip_vary on;
    {settings}
    map $http_accept $page {{
        default index.html;
        "~application/vnd\\.pypi\\.simple\\.v1\\+json" index.json;
    }}
    server {{
        listen 127.0.0.1:{port}{reuseport};
        root {tree};
        location /packages/ {{ gzip_static off; alias {files}/; }}
        location / {{ {pages} }}
    }}
}}
"""


@frozen
class Configuration:
    """A way to configure it.

    Attributes:
        settings: directives for all.
        pages: directives for pages.
        by_file: whether clients ask for the file itself.
    """

    name: str
    settings: str
    pages: str = ""
    by_file: bool = False

    def path(self, project: str, json: bool) -> str:
        """What a client asks for."""
        return f"/simple/{project}/" + (f"index.{'json' if json else 'html'}" if self.by_file else "")


ORDINARY = Configuration(
    "nginx", "sendfile on; tcp_nopush on;", "rewrite ^(?<place>/simple/[^/]+/)$ $place$page break;"
)
BEST = Configuration("nginx best", "sendfile off; tcp_nopush off; open_file_cache_errors on;", by_file=True)


def program() -> str:
    """Where nginx is.

    Raises:
        BenchmarkFailed: it is not installed.
    """
    found = shutil.which("nginx") or shutil.which("nginx", path=SYSTEM_FOLDER)
    if found is None:
        raise BenchmarkFailed("nginx is missing: install it, on Debian by `apt-get install nginx-light`")
    return found


@contextmanager
def serving(
    configuration: Configuration,
    folder: Path,
    *,
    tree: Path | None = None,
    files: Path | None = None,
    workers: int = 1,
    cores: str = "",
) -> Iterator[tuple[Running, str]]:
    """nginx, and its URL.

    Args:
        folder: of its configuration; made when missing.
        tree: of pages.
        files: what is at ``/packages/``.
        cores: the processors it may use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, descriptors = free_port(), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    descriptors = min(descriptors, 1 << 20) if descriptors > 0 else 1 << 20
    text = MAIN.format(
        # The files may be in a folder that only we may enter.
        user=f"user {getpass.getuser()};" if os.geteuid() == 0 else "",
        workers=workers,
        descriptors=descriptors,
        folder=folder,
        cached=min(200_000, descriptors // 2),
        settings=configuration.settings,
        port=port,
        reuseport=" reuseport" if workers > 1 else "",
        tree=tree or folder,
        files=files or folder,
        pages=configuration.pages,
    )
    (folder / "nginx.conf").write_text(text)
    command = [*pinned(cores), program(), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with running(command, ready=READY, log=folder / "nginx.log", deadline=START) as server:
        yield server, f"http://127.0.0.1:{port}"
