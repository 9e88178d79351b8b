"""What people sign in with is told in words that nobody else chooses."""

from __future__ import annotations

import pytest

from pypi.domain.devices import in_words

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "Firefox on Linux"),
        (f"{WINDOWS} {CHROME} Safari/537.36 Edg/120.0.0.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 14; Pixel) {CHROME} Mobile Safari/537.36", "Chrome on Android"),
        (f"{PHONE} Version/17.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("curl/8.5.0", "curl"),
        ("", "A browser"),
        ("<b>Ask for your prize at evil.example</b>", "A browser"),
        ("w3m/0.5", "A text browser"),
        ("é" * 5000, "A browser"),
    ],
)
def test_words(agent: str, said: str) -> None:
    """A browser is named with what it runs on, and what is unknown is repeated to nobody."""
    assert in_words(agent) == said
