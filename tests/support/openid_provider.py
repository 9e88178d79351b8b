"""A provider of OpenID Connect on loopback: small, real, and able to lie in every way.

It keeps to the code flow with PKCE as strictly as a good one, signs with keys of its own without the library
that looks at its tokens, and forgets each code when it is redeemed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from attrs import define, field
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CLIENT, SECRET = "cheese shop", "s3cret+with/odd characters"

ADA = {
    "sub": "248289761001",
    "email": "ada@people.example",
    "email_verified": True,
    "preferred_username": "ada",
    "name": "Ada Lovelace",
}

PAGE = """<!doctype html><html lang="en"><title>Provider</title>
<h1>Provider</h1><p><a id="agree" href="{}">Sign in as Ada</a></p></html>"""


def b64(data: bytes) -> str:
    """As RFC 7515 has it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    """A number of a key (RFC 7518, section 6.3)."""
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@define(eq=False)
class Key:
    """A key that signs, RS256 or ES256."""

    kid: str
    private: Any = field(repr=False)

    @property
    def algorithm(self) -> str:
        """What it signs by."""
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    @property
    def public(self) -> dict[str, str]:
        """As the provider publishes it."""
        numbers = self.private.public_key().public_numbers()
        shared = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if isinstance(self.private, rsa.RSAPrivateKey):
            return {**shared, "kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        x, y = (b64(value.to_bytes(32, "big")) for value in (numbers.x, numbers.y))
        return {**shared, "kty": "EC", "crv": "P-256", "x": x, "y": y}

    @property
    def pem(self) -> bytes:
        """The public key as text, which HS256 takes for a secret where nobody looks."""
        return bytes(
            self.private.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def sign(self, data: bytes) -> bytes:
        """A signature."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def rsa_key(kid: str = "one", bits: int = 2048) -> Key:
    """A new RSA key."""
    return Key(kid, rsa.generate_private_key(65537, bits))


def ec_key(kid: str = "two") -> Key:
    """A new key on P-256."""
    return Key(kid, ec.generate_private_key(ec.SECP256R1()))


@define(eq=False)
class Asked:
    """A code that was handed out, and for what."""

    redirect_uri: str
    challenge: str
    nonce: str
    claims: dict[str, Any]


@define(eq=False)
class OpenIdProvider:
    """The provider, and how it lies.

    Attributes:
        url: its issuer.
        person: the claims of who is signed in there.
        keys: it publishes; the first signs.
        claims: what its tokens say in place of the truth; ``None`` leaves a claim out.
        header: likewise, of their headers.
        signing: how a token is signed: ``key``, ``none``, ``hs256``, ``forged``.
        discovery: what its description says in place of the truth.
        answers: paths → ``hang``, ``huge``, ``500``, ``404``, ``redirect``, ``html``, ``list``, ``cut``.
        refuses: the error it sends people back with, in place of a code.
        asks: whether it shows a page before it sends people back.
        thin: whether its tokens leave out who somebody is, who is told of elsewhere.
        asked: paths it was asked for, in their order.
    """

    url: str
    keys: list[Key]
    client: str = CLIENT
    secret: str = SECRET
    now: Callable[[], float] = time.time
    person: dict[str, Any] = field(factory=lambda: dict(ADA))
    claims: dict[str, Any] = field(factory=dict)
    header: dict[str, Any] = field(factory=dict)
    signing: str = "key"
    discovery: dict[str, Any] = field(factory=dict)
    answers: dict[str, str] = field(factory=dict)
    told: dict[str, Any] = field(factory=dict)
    refuses: str = ""
    asks: bool = False
    thin: bool = False
    asked: list[str] = field(factory=list)
    codes: dict[str, Asked] = field(factory=dict)
    access: dict[str, dict[str, Any]] = field(factory=dict)
    ended: Event = field(factory=Event)

    @property
    def base(self) -> str:
        """Where its paths begin."""
        return self.url.rstrip("/")

    def describe(self) -> dict[str, Any]:
        """Its description (Discovery 1.0, section 3)."""
        told = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "userinfo_endpoint": f"{self.base}/userinfo",
            "jwks_uri": f"{self.base}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": True,
            "code_challenge_methods_supported": ["S256"],
            **self.discovery,
        }
        return {name: value for name, value in told.items() if value is not None}

    def authorize(self, query: dict[str, str]) -> str:
        """Where somebody is sent back to, as RFC 6749 and RFC 9207 have it."""
        assert query["client_id"] == self.client, query
        assert query["response_type"] == "code", query
        assert "openid" in query["scope"].split(), query
        assert query["code_challenge_method"] == "S256", query
        answer = {"state": query["state"], "iss": self.url}
        if self.refuses:
            answer["error"] = self.refuses
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self.codes[answer["code"]] = Asked(
                query["redirect_uri"], query["code_challenge"], query["nonce"], dict(self.person)
            )
        if self.describe().get("authorization_response_iss_parameter_supported") is not True:
            del answer["iss"]
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The answer to a code."""
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if asked is None or asked.redirect_uri != form.get("redirect_uri") or asked.challenge != challenge:
            return 400, {"error": "invalid_grant"}
        access = secrets.token_urlsafe(16)
        self.access[access] = asked.claims
        token = self.token({**asked.claims, "nonce": asked.nonce})
        return 200, {"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": token}

    def token(self, claims: dict[str, Any]) -> str:
        """An ID token, true or not."""
        now = int(self.now())
        if self.thin:
            claims = {name: claims[name] for name in ("sub", "nonce")}
        said = {"iss": self.url, "aud": self.client, "iat": now, "exp": now + 300, **claims, **self.claims}
        said = {name: value for name, value in said.items() if value is not None}
        key = self.keys[0]
        header = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"}
        if self.signing in ("none", "hs256"):
            header["alg"] = self.signing.replace("hs", "HS")
        header = {name: one for name, one in {**header, **self.header}.items() if one is not None}
        signed = ".".join(b64(json.dumps(part).encode()) for part in (header, said)).encode()
        match self.signing:
            case "none":
                signature = b""
            case "hs256":
                signature = hmac.new(key.pem, signed, hashlib.sha256).digest()
            case "forged":
                signature = (rsa_key() if key.algorithm == "RS256" else ec_key()).sign(signed)
            case _:
                signature = key.sign(signed)
        return f"{signed.decode()}.{b64(signature)}"

    def _is_client(self, form: dict[str, str], authorization: str) -> bool:
        if self.describe()["token_endpoint_auth_methods_supported"] == ["client_secret_post"]:
            return (form.get("client_id"), form.get("client_secret")) == (self.client, self.secret)
        scheme, _, given = authorization.partition(" ")
        pair = base64.b64decode(given).decode().partition(":") if scheme == "Basic" else ("", "", "")
        return (unquote_plus(pair[0]), unquote_plus(pair[2])) == (self.client, self.secret)


class _Handler(BaseHTTPRequestHandler):
    provider: OpenIdProvider

    def do_GET(self) -> None:
        """Description, keys, people, and who they are."""
        path, query = self._path()
        provider = self.provider
        if self._lies(path):
            return
        match path.removeprefix(urlsplit(provider.base).path):
            case "/.well-known/openid-configuration":
                self._json(200, provider.describe())
            case "/keys":
                self._json(200, {"keys": [key.public for key in provider.keys]})
            case "/authorize" if provider.asks and "agree" not in query:
                url = f"{self.path}&agree=1".replace("&", "&amp;")
                self._answer(200, "text/html; charset=utf-8", PAGE.format(url).encode())
            case "/authorize":
                self._answer(302, "text/plain", b"", Location=provider.authorize(query))
            case "/userinfo":
                known = provider.access.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
                self._json(200 if known else 401, {**known, **provider.told} if known else {})
            case _:
                self._json(404, {})

    def do_POST(self) -> None:
        """Codes for tokens."""
        path, _ = self._path()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if not self._lies(path):
            form = {name: values[-1] for name, values in parse_qs(body).items()}
            self._json(*self.provider.redeem(form, self.headers.get("Authorization", "")))

    def _path(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        self.provider.asked.append(parts.path)
        return parts.path, {name: values[-1] for name, values in parse_qs(parts.query).items()}

    def _lies(self, path: str) -> bool:
        match self.provider.answers.get(path):
            case None:
                return False
            case "hang":
                self.provider.ended.wait(30)
            case "huge":
                self._answer(200, "application/json", b'{"keys": "' + b"x" * (1 << 20) + b'"}')
            case "redirect":
                self._answer(302, "text/plain", b"", Location=f"{self.provider.url}/elsewhere")
            case "html":
                self._answer(200, "text/html", b"<p>Maintenance</p>")
            case "list":
                self._answer(200, "application/json", b"[" * 10_000)
            case "cut":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.close_connection = True
            case status:
                self._json(int(status), {"error": "server_error"})
        return True

    def _json(self, status: int, value: Any) -> None:
        self._answer(status, "application/json", json.dumps(value).encode())

    def _answer(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up on a provider that hangs is no news."""


@contextmanager
def openid_provider(
    *keys: Key, path: str = "", tls: Path | None = None, **more: Any
) -> Iterator[OpenIdProvider]:
    """A provider, until the block ends.

    Args:
        path: of its issuer, such as ``/realm/``.
        tls: a folder for a certificate that nobody vouches for.
    """
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    scheme = "http"
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(tls))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    provider = OpenIdProvider(
        f"{scheme}://127.0.0.1:{server.server_port}{path}", list(keys) or [rsa_key()], **more
    )
    handler.provider = provider
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.ended.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file
