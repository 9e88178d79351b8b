"""Servers asked over TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_twisted import async_yield_fixture
from twisted.internet import reactor as _reactor
from twisted.internet.ssl import PrivateCertificate

from pypi.shadow.exchange import Server
from pypi.shadow.lines import Recorded
from pypi.shadow.replay import Replay
from pypi.shadow.tally import ServerTally, Tally
from tests.shadow.servers import Scripted, answer

reactor: Any = _reactor


def certificate() -> bytes:
    """A key and a certificate for localhost, signed by itself, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + made.public_bytes(serialization.Encoding.PEM)


@async_yield_fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """Of a server on ``localhost``; its certificate lies in ``server.pem``."""
    pem = certificate()
    (tmp_path / "server.pem").write_bytes(pem)
    options = PrivateCertificate.loadPEM(pem).options()
    site = Scripted(lambda _: answer(200, b"x" * 100_000))
    listening = reactor.listenSSL(0, site, options, interface="127.0.0.1")
    yield listening.getHost().port
    await listening.stopListening()


async def asked(port: int) -> ServerTally:
    """Ask it ten times over."""
    tally = Tally([ServerTally()])
    log = [Recorded(n, 0.0, "GET", "/", 200) for n in range(10)]
    server = Server.at(f"https://localhost:{port}", reactor)
    await Replay([server], log, reactor, tally.add, connections=2).run()
    return tally.servers[0]


async def test_over_tls(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose certificate the machine trusts is asked like any other."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    found = await asked(port)
    assert found.statuses == {(200, 200): 10}
    assert found.bytes == 1_000_000


async def test_a_stranger(port: int) -> None:
    """One whose certificate nobody knows is asked nothing."""
    found = await asked(port)
    assert found.statuses == {(200, 0): 10}
    (error,) = found.errors
    assert "connection" in error
