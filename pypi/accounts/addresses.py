"""E-mail addresses."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email


def why_not(address: str) -> str | None:
    """Why a text is no e-mail address, ``None`` if it is one; nothing is looked up (RFC 5321, RFC 5322)."""
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        return str(error)
    return None
