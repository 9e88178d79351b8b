"""Cache policies as headers."""

from __future__ import annotations

import pytest

from caching.policy import FOR_EVER, NO_STORE, Policy


@pytest.mark.parametrize(
    ("policy", "value"),
    [
        (Policy(), "max-age=0, public, must-revalidate"),
        (Policy(browser=600), "max-age=600, public"),
        (Policy(browser=600, shared=False), "max-age=600, private"),
        (FOR_EVER, "max-age=31536000, public, immutable"),
        (NO_STORE, "private, no-store"),
    ],
)
def test_cache_control(policy: Policy, value: str) -> None:
    """What may keep an answer, and for how long, is said in one header."""
    assert dict(policy.headers())["Cache-Control"] == value


def test_cross_origin_reads_are_opted_into() -> None:
    """Only a policy that says so lets pages of other origins read the answer."""
    assert "Access-Control-Allow-Origin" not in dict(Policy().headers())
    assert dict(Policy(cors=True).headers())["Access-Control-Allow-Origin"] == "*"
