"""Those who ask, by the headers they send: recorded from the clients themselves, byte for byte but for Host.

Recorded in November 2026 on Debian 12: pip 26.3 and 20.3.4, uv 0.13.8, Poetry 2.5.1, curl 7.88.1 and requests
2.34.2. PDM 2.29.3 by its source (unearth's headers, httpx's order), pip 9 and the browsers by what is known
of them. What each shares in the traffic is an estimate.
"""

from __future__ import annotations

from attrs import field, frozen

DEBIAN = (
    '"distro":{"id":"bookworm","libc":{"lib":"glibc","version":"2.36"},"name":"Debian GNU/Linux",'
    '"version":"12"},"implementation":{"name":"CPython","version":"3.11.7"}'
)
PIP = (
    '{{"ci":{ci},"cpu":"x86_64",'
    + DEBIAN.replace("{", "{{").replace("}", "}}")
    + ',"installer":{{"name":"pip","version":"{version}"}},"openssl_version":"OpenSSL 3.0.19 27 Jan 2026",'
    '"python":"3.11.7",{more}"setuptools_version":"65.5.0",'
    '"system":{{"name":"Linux","release":"6.1.0-42-amd64"}}}}'
)
UV = (
    '{"installer":{"name":"uv","version":"0.13.8","subcommand":["pip","install"]},"python":"3.11.7",'
    '"implementation":{"name":"CPython","version":"3.11.7"},"distro":{"name":"Debian GNU/Linux",'
    '"version":"12","id":"bookworm","libc":{"lib":"glibc","version":"2.36"}},"system":{"name":"Linux",'
    '"release":"6.1.0-42-amd64"},"cpu":"x86_64","openssl_version":null,"setuptools_version":null,'
    '"rustc_version":null,"ci":%s}'
)
PIP_JSON = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
)
UV_JSON = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)

HOST = "Host"


@frozen
class Client:
    """A client and what it sends.

    Attributes:
        share: of all requests, in per cent.
        headers: in its order; ``Host`` stands where the client puts it.
        host_first: whether it sends Host before all others, or after.
    """

    name: str
    share: float
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    host_first: bool = True

    def __str__(self) -> str:
        return self.name

    @property
    def takes_json(self) -> bool:
        """Whether it gets the JSON page."""
        return "v1+json" in dict(self.headers).get("Accept", "")

    @property
    def takes_gzip(self) -> bool:
        """Whether it gets the compressed page."""
        return "gzip" in dict(self.headers).get("Accept-Encoding", "")

    def request(self, path: str, host: str, etag: str = "") -> bytes:
        """A GET.

        Args:
            etag: what it has already; empty for nothing.
        """
        fields = [(HOST, host), *self.headers] if self.host_first else [*self.headers, (HOST, host)]
        if etag:
            fields.append(("If-None-Match", etag))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


def _pip(version: str, accept: str, *more: tuple[str, str], ci: str = "null") -> tuple[tuple[str, str], ...]:
    rust = '"rustc_version":"1.95.0",' if version > "21" else ""
    agent = f"pip/{version} {PIP.format(version=version, ci=ci, more=rust)}"
    coding = ("Accept-Encoding", "gzip, deflate")
    return ("User-Agent", agent), coding, ("Accept", accept), ("Connection", "keep-alive"), *more


def _uv(ci: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Accept-Encoding", "gzip, deflate, zstd"),
        ("Accept", UV_JSON),
        ("User-Agent", f"uv/0.13.8 {UV % ci}"),
    )


def _browser(agent: str, codings: str) -> tuple[tuple[str, str], ...]:
    return (
        ("User-Agent", agent),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("Accept-Language", "en-US,en;q=0.5"),
        ("Accept-Encoding", codings),
        ("Connection", "keep-alive"),
        ("Upgrade-Insecure-Requests", "1"),
    )


BARE = Client("no headers", 0, ())
PIP_NOW = Client("pip 26", 25, _pip("26.3", PIP_JSON))

MIX = (
    PIP_NOW,
    Client("pip 26 in CI", 15, _pip("26.3", PIP_JSON, ci="true")),
    Client("pip 24", 10, _pip("24.0", PIP_JSON, ("Cache-Control", "max-age=0"))),
    Client("pip 20", 6, _pip("20.3.4", "text/html", ("Cache-Control", "max-age=0"))),
    Client("pip 9", 2, _pip("9.0.3", "*/*", ("Cache-Control", "max-age=600"))),
    Client("uv", 12, _uv("null"), host_first=False),
    Client("uv in CI", 16, _uv("true"), host_first=False),
    Client(
        "Poetry",
        6,
        (
            ("User-Agent", "poetry/2.5.1 CPython/3.11.7 Linux/6.1.0-42-amd64"),
            ("Accept-Encoding", "gzip, deflate, zstd"),
            ("Accept", "application/vnd.pypi.simple.v1+json, */*;q=0.1"),
            ("Connection", "keep-alive"),
        ),
    ),
    Client(
        "PDM",
        2,
        (
            ("Accept", PIP_JSON),
            ("Accept-Encoding", "gzip, deflate"),
            ("Connection", "keep-alive"),
            ("User-Agent", "pdm/2.29.3 CPython/3.11.7 Linux/6.1.0-42-amd64"),
        ),
    ),
    Client(
        "requests",
        2,
        (
            ("User-Agent", "python-requests/2.34.2"),
            ("Accept-Encoding", "gzip, deflate, zstd"),
            ("Accept", "*/*"),
            ("Connection", "keep-alive"),
        ),
    ),
    Client("curl", 2, (("User-Agent", "curl/7.88.1"), ("Accept", "*/*"))),
    Client("Firefox", 1, _browser(FIREFOX, "gzip, deflate")),
    Client("Chrome", 1, _browser(CHROME, "gzip, deflate")),
)
