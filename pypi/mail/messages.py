"""Messages: letters put into words, as text and as HTML that say the same, and into the form of mail.

Headers are written by the standard library's ``email``, which encodes what is no ASCII and refuses line ends;
what was written is looked at again, for it has been led to write more.
Links begin with the index's own URL, whoever asked for the letter under whatever name of it.
"""

from __future__ import annotations

import re
import textwrap
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any

import attrs
from attrs import field, frozen
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from pypi.mail.letters import ACCOUNT, Letter
from pypi.mail.mailer import Message, Refused, host_of
from pypi.mail.post import Posted

WIDTH = 72
"""Characters of a line of text."""

LONGEST = 200
"""Characters of anything that people have chosen."""

POLICY = SMTP.clone(linesep="\n", cte_type="7bit")

_PATH = re.compile(r"/(?![/\\])[!-;=?-\[\]-~]*")
"""A path on this index: no other host, nothing that is not printable ASCII, no ``<``, ``>`` or backslash."""

_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]*:/+|\bwww\.|\bmailto:", re.IGNORECASE)


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("templates", "mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@frozen(kw_only=True)
class Messages:
    """Puts letters into words.

    Attributes:
        origin: URL of the index, without a slash at its end; every link begins with it.
        index: what the index is called.
        sender: ``a@b.example`` or ``Name <a@b.example>``; empty for an address at the origin's host.
    """

    origin: str
    index: str
    sender: str = ""
    _environment: Environment = field(factory=_environment, init=False, repr=False)

    @property
    def host(self) -> str:
        """What the index calls itself in mail."""
        return host_of(self.origin)

    @property
    def sent_by(self) -> Address:
        """Who the messages are from."""
        name, address = parseaddr(self.sender or f"cheeseshop@{self.host}")
        return Address(display_name=plain(name or self.index), addr_spec=ascii_address(address))

    def write(self, posted: Posted, *, number: int) -> Message:
        """A letter as a message.

        Args:
            number: of its errand, by which it has the same Message-ID each time it is sent.

        Raises:
            Refused: there is no such address, or no such link.
        """
        letter, to, sender = posted.letter, ascii_address(posted.to), self.sent_by
        message = EmailMessage(POLICY)
        message["From"] = sender
        message["To"] = Address(display_name=plain(letter.user), addr_spec=to)
        message["Subject"] = subject(letter, self.index)
        message["Date"] = format_datetime(posted.at.astimezone(UTC))
        message["Message-ID"] = f"<{number}.{posted.at.timestamp():.6f}.mail@{self.host}>"
        # Nobody's answering machine is to answer (RFC 3834 §5; the second header is Exchange's).
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        if project := getattr(letter, "project", ""):
            message["List-Id"] = f"<{list_label(project)}.projects.{self.host}>"
        values = self._values(posted)
        message.set_content(wrapped(self._render(letter, "txt", values)))
        message.add_alternative(self._render(letter, "html", values), subtype="html")
        return Message(sender=sender.addr_spec, to=to, data=checked(message))

    def _render(self, letter: Letter, kind: str, values: dict[str, Any]) -> str:
        return self._environment.get_template(f"{letter.name}.{kind}").render(values)

    def _values(self, posted: Posted) -> dict[str, Any]:
        letter = posted.letter
        fields = {name: plain(str(value)) for name, value in attrs.asdict(letter).items() if name != "path"}
        facts = [(label, fields[name]) for label, name in letter.facts]
        return {
            **fields,
            "account": f"{self.origin}{ACCOUNT}",
            "hello": f"Hello {fields['user']}," if letter.user else "Hello,",
            "your_account": f"your account {fields['user']}" if letter.user else "your account",
            "facts": [*facts, ("When", moment(posted.at))],
            "index": self.index,
            "link": f"{self.origin}{own_path(letter.link_path)}",
            "origin": self.origin,
            "subject": subject(letter, self.index),
            "until": moment(posted.until),
        }


def checked(message: EmailMessage) -> bytes:
    """A message as it is sent.

    Raises:
        Refused: it has other headers than it was given.
    """
    data = message.as_bytes()
    head = data.partition(b"\n\n")[0]
    names = re.findall(rb"^([^ \t:]+):", head, re.MULTILINE)
    if [name.decode().lower() for name in names] != [name.lower() for name in message.keys()]:  # noqa: SIM118
        raise Refused("its headers hold other headers")
    return data


def plain(text: str) -> str:
    """What somebody has chosen, on one line, not too long, and no link for a mail program to make one of."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    # The standard library decodes such words in headers, line ends within and all, and writes them so.
    line = _SCHEME.sub("…", line.replace("=?", "= ?"))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def subject(letter: Letter, index: str) -> str:
    """The line a mail program lists."""
    fields = {name: plain(str(value)) for name, value in attrs.asdict(letter).items()}
    return plain(letter.subject.format(index=index, **fields))


def own_path(path: str) -> str:
    """A path as it was given.

    Raises:
        Refused: it may lead elsewhere.
    """
    if not _PATH.fullmatch(path):
        raise Refused("the letter's link does not lead to this index")
    return path


def ascii_address(address: str) -> str:
    """An address as SMTP writes it without extensions: its domain in IDNA.

    Raises:
        Refused: it is none, or its local part is not ASCII (which needs SMTPUTF8, RFC 6531).
    """
    local, at, domain = address.rpartition("@")
    try:
        written = f"{local}{at}{domain.encode('idna').decode()}"
        Address(addr_spec=written)
        if not (at and local.isascii() and local.isprintable() and "." in f"{domain}." and domain):
            raise ValueError(address)
    except (ValueError, LookupError, IndexError):
        raise Refused("no address that mail can be sent to") from None
    except Exception as error:
        # The standard library's parser of addresses fails in ways of its own.
        raise Refused(f"no address that mail can be sent to ({type(error).__name__})") from None
    return written


def list_label(project: str) -> str:
    """A project's name as part of a List-Id (RFC 2919 §3), by which its mail can be sorted."""
    return re.sub(r"[^a-z0-9]+", "-", project.lower()).strip("-")[:63] or "project"


def moment(at: datetime) -> str:
    """``7 March 2026, 12:30 UTC``."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def wrapped(text: str) -> str:
    """Paragraphs in lines of ``WIDTH``; lines that begin with two blanks stay lines of their own."""
    paragraphs = re.split(r"\n\s*\n", text.strip("\n"))
    return "\n\n".join(filter(None, map(_paragraph, paragraphs))) + "\n"


def _paragraph(text: str) -> str:
    if text.startswith("  "):
        return "\n".join(_fill(line.strip(), "  ", "    ") for line in text.splitlines())
    return _fill(" ".join(text.split()), "", "")


def _fill(line: str, first: str, further: str) -> str:
    return textwrap.fill(
        line,
        WIDTH,
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
