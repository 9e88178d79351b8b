"""Archives of distributions: read to their end, within bounds, without unpacking anything.

``whole.inspect`` answers what an uploaded file holds, or refuses it. It believes nothing the archive says of
itself: sizes, checksums, names, links and RECORD are all compared with what is there. It blocks and may
use a lot of processor time; ``pypi.publishing.inspection`` runs it in processes of their own, which alone
import what reads archives.
"""

from pypi.publishing.archives.contents import Contents
from pypi.publishing.archives.limits import Limits

__all__ = ["Contents", "Limits"]
