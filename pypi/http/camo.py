"""Pictures of strangers in descriptions: shown over HTTPS, through a proxy where the operator has one.

A browser that fetches a picture tells its host who reads the page, and when. A proxy of the Camo kind asks in
its place, only for addresses that this index has signed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from html import escape, unescape

from attrs import field, frozen

# What the renderer writes, and nothing else: attributes in double quotes, of which they contain none.
_PICTURE = re.compile(r'(<img(?: (?!src=)[a-z-]+="[^"]*")* src=")(https?:[^"]*)"')
_PLAIN = "http:"


@frozen(kw_only=True)
class Camo:
    """Leads pictures through a proxy; without one, those of plain HTTP are asked for by HTTPS.

    Attributes:
        url: of the proxy, without a slash at its end; empty: there is none.
        key: shared with the proxy.

    Source:
        Camo: ``<url>/<HMAC-SHA1 of the picture's URL, in hex>/<the picture's URL, in hex>``.
    """

    url: str = ""
    key: str = field(default="", repr=False)

    def pictures(self, html: str) -> str:
        """A description as the renderer made it, its pictures asked for where this page may ask for them."""
        if not self.url and _PLAIN not in html:
            return html
        return _PICTURE.sub(lambda found: f'{found[1]}{escape(self.address(unescape(found[2])))}"', html)

    def address(self, picture: str) -> str:
        """Where a picture is shown, by its own http or https URL."""
        if not self.url:
            return f"https:{picture.removeprefix(_PLAIN)}" if picture.startswith(_PLAIN) else picture
        digest = hmac.new(self.key.encode(), picture.encode(), hashlib.sha1).hexdigest()
        return f"{self.url}/{digest}/{picture.encode().hex()}"
