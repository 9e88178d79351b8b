"""Who this index is to authenticators: what they call a relying party."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from attrs import frozen

_DEFAULT_PORTS = {"http": 80, "https": 443}
_THIS_MACHINE = "localhost"


@frozen
class RelyingParty:
    """An index, as its passkeys are bound to it.

    Attributes:
        id: the host's name; a passkey made for it is good for no other.
        origin: as browsers write it.
        name: for people.
    """

    id: str
    origin: str
    name: str

    @classmethod
    def of(cls, origin: str, name: str) -> RelyingParty:
        """The index at a URL that its operator configured.

        Source:
            RFC 6454, section 6: an origin has no port where that of its scheme is meant.
        """
        parts = urlsplit(origin)
        host = (parts.hostname or "").encode("idna").decode()
        shown = f"[{host}]" if ":" in host else host
        port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
        return cls(host, f"{parts.scheme}://{shown}{port}", name)

    @property
    def may_have_passkeys(self) -> bool:
        """Whether browsers offer them: by name only, and over HTTPS or on the machine itself."""
        if not self.id or _is_address(self.id):
            return False
        is_here = self.id == _THIS_MACHINE or self.id.endswith(f".{_THIS_MACHINE}")
        return is_here or self.origin.startswith("https:")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
