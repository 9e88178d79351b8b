"""What clients have to be told of this index; the lines themselves are in ``templates/connect/``."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from attrs import frozen

from pypi.domain.names import normalize

TAKEN = frozenset(("pypi", "testpypi", "main", "test", "distutils"))
"""Names that one client or another has a meaning of its own for."""


@frozen
class Client:
    """A program that can be told of this index.

    Attributes:
        key: its anchor on the page, and the name of its template.
    """

    key: str
    name: str


CLIENTS = (
    Client("pip", "pip"),
    Client("uv", "uv"),
    Client("poetry", "Poetry"),
    Client("pdm", "PDM"),
    Client("hatch", "Hatch"),
    Client("twine", "twine"),
    Client("flit", "Flit"),
    Client("github", "GitHub Actions"),
    Client("gitlab", "GitLab CI"),
    Client("docker", "Docker"),
    Client("conda", "conda and pixi"),
    Client("old", "Older tools"),
)


@frozen
class Here:
    """This index, as clients have to be told of it.

    Attributes:
        origin: its URL, without a slash at its end.
        called: what configuration files may call it.
    """

    origin: str
    called: str = "cheeseshop"

    @classmethod
    def of(cls, origin: str, name: str) -> Here:
        """The index at a URL, by the name people know it by."""
        plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
        called = normalize(plain).strip("-")
        if called[:1].isdigit():  # which no variable begins with
            called = f"index-{called}"
        return cls(origin, called if called and called not in TAKEN else "cheeseshop")

    @property
    def simple(self) -> str:
        """Where installers look."""
        return f"{self.origin}/simple/"

    @property
    def simple_with_token(self) -> str:
        """The same, for those who have to say who they are."""
        return self.simple.replace("://", "://__token__:YOUR_TOKEN@", 1)

    @property
    def host(self) -> str:
        """Its name, without a port."""
        return urlsplit(self.origin).hostname or ""

    @property
    def upload(self) -> str:
        """Where publishers send files."""
        return f"{self.origin}/legacy/"

    @property
    def variable(self) -> str:
        """How names of environment variables begin that are about it."""
        return self.called.upper().replace("-", "_")

    @property
    def is_local(self) -> bool:
        """Whether nobody but this machine reaches it."""
        host = urlsplit(self.origin).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @property
    def trusted(self) -> str:
        """The host, with its port, that clients have to be told to trust without TLS; empty for none."""
        parts = urlsplit(self.origin)
        return "" if parts.scheme == "https" or self.is_local else parts.netloc
