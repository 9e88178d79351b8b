"""Names of projects: their grammar, their normalized form, and which two are too alike."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import NewType

from packaging.utils import canonicalize_name

NormalizedName = NewType("NormalizedName", str)
"""Lower case, every run of ``-``, ``_`` and ``.`` one ``-`` (PEP 503)."""

MAX_LENGTH = 200
"""Characters in a name; past it no filename could hold a version and tags as well."""

_GRAMMAR = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE | re.ASCII)
_LOOK_ALIKE = str.maketrans({"l": "1", "i": "1", "o": "0", "-": None, "_": None, ".": None})


def is_valid(name: str) -> bool:
    """Whether ``name`` may name a project.

    Source: core metadata, field Name.
    """
    return len(name) <= MAX_LENGTH and _GRAMMAR.fullmatch(name) is not None


def normalize(name: str) -> NormalizedName:
    """The one spelling under which a project is looked up (PEP 503); any text is taken."""
    return NormalizedName(canonicalize_name(name))


def look_alike_key(name: str) -> str:
    """What is left of a name for a hurried reader: two names with one key are refused as too similar.

    ``l`` and ``i`` read as ``1``, ``o`` as ``0``, and separators as nothing.
    """
    return name.lower().translate(_LOOK_ALIKE)


def standard_library_names(more: Iterable[str] = ()) -> frozenset[NormalizedName]:
    """Normalized names of top-level standard-library modules, which no project may take.

    Args:
        more: modules of other Python versions, by their import names.
    """
    public = (name.strip("_") for name in (*sys.stdlib_module_names, *_LEFT_THE_LIBRARY, *more))
    return frozenset(normalize(name) for name in public if name)


_LEFT_THE_LIBRARY = (
    # Modules older or younger Pythons ship, so that the answer does not depend on the one that runs us.
    "aifc anydbm asynchat asyncore audioop BaseHTTPServer Bastion bsddb Canvas cgi CGIHTTPServer cgitb "
    "chunk commands compiler compression cookielib Cookie copy_reg cPickle crypt cStringIO dbhash "
    "dircache distutils DocXMLRPCServer dumbdbm exceptions fpformat future_builtins gdbm hotshot "
    "htmlentitydefs htmllib HTMLParser httplib ihooks imghdr imp imputil lib2to3 linuxaudiodev macpath "
    "mailcap markupbase md5 mhlib mimetools MimeWriter mimify msilib multifile mutex new nis nntplib "
    "ossaudiodev parser pipes popen2 posixfile Queue repr rexec rfc822 robotparser ScrolledText sets "
    "sgmllib sha SimpleHTTPServer SimpleXMLRPCServer smtpd sndhdr SocketServer spwd statvfs StringIO "
    "sunau sunaudiodev telnetlib Tkinter tkMessageBox toaiff tomllib urllib2 urlparse user UserDict "
    "UserList UserString uu whichdb xdrlib xmllib xmlrpclib __builtin__ _winreg winreg annotationlib "
    "concurrent "
).split()
