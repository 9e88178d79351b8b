"""Which mail server, by the URL the operator writes."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import field, frozen

PORTS = {"smtp": 587, "smtps": 465}

TLS = ("required", "offered", "off")


@frozen(kw_only=True)
class SmtpServer:
    """Where a mail server is, and how it is talked to.

    Attributes:
        tls: ``wrapped`` from the first byte (smtps, RFC 8314), or by STARTTLS (RFC 3207): ``required``,
            where it is ``offered``, or ``off``.
        user: empty for a server that asks nobody who they are.
        ca: file of the certificates that are trusted in place of the system's.
    """

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None

    @classmethod
    def from_url(cls, url: str) -> SmtpServer:
        """Read ``smtp://user:password@host:587?tls=required&ca=/path/of.pem``, or ``smtps://…``.

        Unless ``tls`` says otherwise it is required, but of a server on this machine.

        Raises:
            ValueError: it is no such URL; the password is not quoted.
        """
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        wrong = list(_wrong(parts.scheme, parts.hostname, parts.username, parts.password, given))
        if wrong:
            raise ValueError(f"mail.url: {'; '.join(wrong)}.")
        host = str(parts.hostname)
        usual = "off" if _is_here(host) else "required"
        return cls(
            host=host,
            port=parts.port or PORTS[parts.scheme],
            tls="wrapped" if parts.scheme == "smtps" else given.get("tls", usual),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            ca=Path(given["ca"]) if given.get("ca") else None,
        )


def _wrong(
    scheme: str, host: str | None, user: str | None, password: str | None, given: dict[str, str]
) -> Iterator[str]:
    if scheme not in PORTS or not host:
        yield "it has to be smtp://host or smtps://host"
    if unknown := sorted(given.keys() - {"tls", "ca"}):
        yield f"it knows tls and ca after the question mark, not {', '.join(unknown)}"
    if "tls" in given and (scheme == "smtps" or given["tls"] not in TLS):
        yield f"tls is one of {', '.join(TLS)}, and only of smtp://"
    if bool(user) != bool(password):
        yield "user and password go together"
    if user and given.get("tls") == "offered":
        yield "with a password, tls has to be required (or, on a network of yours, off)"


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
