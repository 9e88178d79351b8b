"""Core metadata: one value for what a file says of itself and for what an upload form says of it.

``model`` holds the fields; ``parse`` reads METADATA and PKG-INFO, ``form`` an upload form, both into the
same ``Metadata``; ``rules`` says what is wrong with it, ``compare`` where form and file disagree.
"""

from pypi.domain.metadata.compare import differences
from pypi.domain.metadata.form import from_form
from pypi.domain.metadata.model import FIELDS, Field, Kind, Metadata
from pypi.domain.metadata.parse import parse
from pypi.domain.metadata.rules import refusals

__all__ = ["FIELDS", "Field", "Kind", "Metadata", "differences", "from_form", "parse", "refusals"]
