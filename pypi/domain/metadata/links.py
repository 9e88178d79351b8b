"""The links of a release: those of the two fields of old, and the labelled ones."""

from __future__ import annotations

import re

from pypi.domain.metadata.model import Metadata

_DROPPED = re.compile(r"[!-/:-@\[-`{-~\s]", re.ASCII)
"""Punctuation and blanks."""


def links(said: Metadata) -> dict[str, str]:
    """Label → URL: ``Homepage``, ``Download``, then the labelled ones, except what says the same again.

    Source: PEP 753 for when two labels are one.
    """
    fields = {"Homepage": said.home_page, "Download": said.download_url}
    found = {label: url for label, url in fields.items() if url}
    same = {("homepage", said.home_page), ("downloadurl", said.download_url)}
    for label, url in said.project_urls:
        if (_DROPPED.sub("", label).lower(), url) not in same:
            found[label] = url
    return found
