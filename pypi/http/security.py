"""What browsers are told an HTML page may do: next to nothing.

Source: CSP Level 3; RFC 6797 (HSTS); the HTML Living Standard, sections 7.1.3 (COOP) and 4.2.5.3; the Fetch
Standard, section 3.7 (CORP).
"""

from __future__ import annotations

from urllib.parse import urlsplit

Headers = tuple[tuple[str, str], ...]

HSTS_SECONDS = 365 * 24 * 3600

NO_FEATURES = (
    "browsing-topics=(), camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
)
"""A page of an index needs nothing of what tells of people or costs them; it may copy, and take passkeys."""


def page_headers(images: str = "https:", *, secure: bool = False) -> Headers:
    """The headers of every HTML page.

    Args:
        images: URL of the proxy that fetches the images of descriptions; or the sources that these may have.
        secure: whether the index is reached by HTTPS only.
    """
    fixed = (
        ("Content-Security-Policy", content_policy(images)),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Permissions-Policy", NO_FEATURES),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("X-Frame-Options", "DENY"),
    )
    return (*fixed, *hsts(secure=secure))


def content_policy(images: str) -> str:
    """What a page may load: our own files, and images from where those of descriptions come."""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' {source_of(images)}; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )


def source_of(url: str) -> str:
    """A URL as a source of a policy: its origin; ``https:`` stays what it is."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else url


def hsts(*, secure: bool) -> Headers:
    """That browsers shall not try plain HTTP again; only said where nothing is served by it."""
    return (("Strict-Transport-Security", f"max-age={HSTS_SECONDS}"),) if secure else ()
