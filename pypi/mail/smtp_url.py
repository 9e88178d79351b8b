"""Which mail server, by the URL the operator writes."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import field, frozen

from pypi.config.mail import mail_url

PORTS = {"smtp": 587, "smtps": 465}


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
            ValueError: it is no such URL; nothing of it is quoted.
        """
        parts = urlsplit(mail_url(url))
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.scheme not in PORTS:
            raise ValueError("no URL of a mail server")
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


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
