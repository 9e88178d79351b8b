"""The fast lane: answers a plain GET or HEAD out of memory before HTTP machinery sees it.

It stands between a connection's transport and its channel. What it has read and is sure of, it answers in the
same turn; everything else goes to the channel, byte for byte, and so does all that follows until the channel
has come to rest. It decides nothing by itself: a block of header lines means what the channel's own strict
reader says it means, and that is remembered by the very bytes of the block, since clients repeat them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from caching.kept import Form, Kept
from caching.kept_files import KeptFile, KeptFiles
from caching.memfiles import LARGE, MemFile, MemFiles
from caching.memory import Memory, Page
from caching.moment import JOINED, Moment
from caching.policy import Chooser
from caching.sendfile import PIECE, is_at_hand
from caching.transport import bare

log = Logger()

MOST_BLOCKS = 4096
"""Blocks of header lines remembered, twice over: the older half is dropped when the newer is full."""

LONGEST_BLOCK = 2048
"""Bytes of a block that is looked at; only few clients say more."""

LONGEST = 4096
"""Bytes of a request that is looked at, with its request line and the empty line at its end."""

BESIDE = b" HTTP/1.1\r\n"
"""Bytes that no target the lane looks for can have: an address with them is not for it to find."""

SMALL = 2048
"""Bytes of a body that are copied rather than handed over beside its head."""

VERSION, END = b"HTTP/1.1\r\n", b"\r\n\r\n"

AFTER_TAGS = b'"' + END
"""How a request ends whose last line is one of tags."""

OTHERS = -1
"""In place of a number of bytes: this is not for the lane to answer."""

GLANCE = 16
"""Every so many bytes one is looked at, to find the block this may be: to hash all of it costs more than to
compare all of it."""

MOST_ALIKE = 8
"""Blocks remembered that look the same at a glance."""

_ONE_TAG = re.compile(rb'(?:W/)?"[!\x23-\x7e]*"')
_LINE_OF_TAGS = (b"\r\nIf-None-Match: ", b"\r\nif-none-match: ")


class Meaning:
    """What a block of header lines says, as far as an answer from memory depends on it.

    Attributes:
        accept: value of ``Accept``, or ``None``.
        gzip: whether the client takes gzip.
        logged: what the access log says of the client.
        dated: whether the answer depends on when what is asked for was last changed; no page says that.
    """

    __slots__ = ("accept", "chosen", "dated", "gzip", "logged")

    def __init__(self, *, accept: str | None, gzip: bool, logged: bytes = b"", dated: bool = False) -> None:
        self.accept = accept
        self.gzip = gzip
        self.logged = logged
        self.dated = dated
        self.chosen: dict[Chooser, str] = {}

    def choose(self, chooser: Chooser) -> str:
        """Which representation of a page is meant."""
        chosen = self.chosen[chooser] = chooser(self.accept, {})
        return chosen


NOTHING = Meaning(accept=None, gzip=False)
"""What somebody means who has not said anything yet."""


Glanced = dict[bytes, tuple[tuple[bytes, Meaning], ...]]
"""Every ``GLANCE``-th byte of what was said → all that was said and looks like that, and what it means."""


class Channel(Protocol):
    """What stands behind the lane.

    Attributes:
        ahead: set whenever a request was answered before the channel saw it: the connection is not idle.
        address: of the client.
    """

    ahead: bool
    address: str

    @property
    def quiet(self) -> bool:
        """Whether the channel has nothing of any request, and the next byte may begin one."""

    def owes(self, length: int) -> None:
        """An answer of ``length`` bytes has been written that the client has not taken yet."""

    def hands(self, length: int) -> None:
        """The same of an answer that is still being sent: all requests wait until it ``handed``."""

    def handed(self) -> None:
        """It is sent."""

    def abort(self) -> None:
        """Close at once."""

    def makeConnection(self, transport: Any) -> None: ...

    def dataReceived(self, data: bytes) -> None: ...

    def connectionLost(self, reason: Failure) -> None: ...


class Lines(Protocol):
    """Pieces of a line in the access log."""

    def prefix(self, address: str) -> bytes:
        """Of a caller."""

    def answer(
        self, code: int, size: int, *, seconds: float = 0.0, cache: bytes = b"", route: str = ""
    ) -> bytes:
        """Of an answer: status, bytes of its body, time taken, ``Cache-Status``, pattern of the route."""


class Log(Protocol):
    """The access log, as far as the lane writes it: a line is prefix, stamp, request line, answer, and
    ``Meaning.logged``.

    Attributes:
        stamp: the piece of this second.
        append: takes a line.
    """

    @property
    def lines(self) -> Lines:
        """The pieces of its format."""

    stamp: bytes
    append: Callable[[bytes], None]


@define(eq=False, repr=False)
class FastLane:
    """What all connections share.

    Attributes:
        memory: where answers are.
        moment: the present.
        read: what a block of header lines means, by the rules of the channel; ``None`` where the channel has
            to see it. The block begins with CR LF and ends without it.
        log: the access log; ``None`` where there is none.
        kept_files: what is sent by the kernel.
        memfiles: pages that are sent by the kernel, too.
        pages: those of the memory; none once the lane is closed.
        files: likewise.
        whole: what follows a path, up to the empty line at its end, as it is seen at a glance.
        before_tags: the same, up to a line of tags that is the last.
    """

    memory: Memory
    moment: Moment
    read: Callable[[bytes], Meaning | None]
    log: Log | None = None
    kept_files: KeptFiles = field(factory=KeptFiles)
    memfiles: MemFiles = field(factory=MemFiles)
    pages: dict[bytes, Page] = field(init=False)
    files: dict[bytes, KeptFile] = field(init=False)
    _young: dict[bytes, Meaning] = field(factory=dict, init=False)
    _old: dict[bytes, Meaning] = field(factory=dict, init=False)
    whole: Glanced = field(factory=dict, init=False)
    before_tags: Glanced = field(factory=dict, init=False)

    def __repr__(self) -> str:
        return f"<FastLane to {len(self.pages)} pages, {len(self._young) + len(self._old)} kinds of headers>"

    def __attrs_post_init__(self) -> None:
        self.pages = self.memory.pages
        self.files = self.kept_files.found

    def before(self, channel: Channel) -> Lane:
        """The lane before one channel."""
        return Lane(self, channel)

    def close(self) -> None:
        """Answer nothing more: the channels take leave of their clients."""
        self.pages, self.files = {}, {}

    def meaning(self, block: bytes) -> Meaning | None:
        """What a block means; it begins with the version behind a path, and ends without a line end."""
        for known, meaning in self.before_tags.get(block[::GLANCE], ()):
            if known == block:
                return meaning
        found = self._young.get(block) or self._old.get(block) or self.read(block[len(VERSION) - 2 :])
        if found is not None:
            self._remember(block, found)
        return found

    def _remember(self, block: bytes, meaning: Meaning) -> None:
        if len(self._young) >= MOST_BLOCKS:
            self._old, self._young = self._young, {}
        self._young[block] = meaning
        _remember_glance(self.whole, block + END, meaning)
        _remember_glance(self.before_tags, block, meaning)


def _remember_glance(glanced: Glanced, said: bytes, meaning: Meaning) -> None:
    if len(glanced) >= MOST_BLOCKS:
        glanced.clear()
    glance = said[::GLANCE]
    alike = [one for one in glanced.get(glance, ()) if one[0] != said]
    glanced[glance] = (said, meaning), *alike[: MOST_ALIKE - 1]


@define(eq=False)
class Handing:
    """A file on its way.

    Attributes:
        file: what it is.
        held: keeps it open.
        line: the request line.
        logged: what the access log says of the client.
        begun: seconds on the reactor's clock.
        waits: whether the channel waits for its end.
        over: whether that has come.
    """

    file: KeptFile
    held: AbstractContextManager[int]
    line: bytes
    logged: bytes
    begun: float
    waits: bool = False
    over: bool = False

    def release(self, failure: Failure | None) -> None:
        """Hold it open no longer; a client that has gone says nothing against it."""
        if failure is None or isinstance(failure.value, ConnectionClosed):
            self.held.__exit__(None, None, None)
        else:
            self.held.__exit__(failure.type, failure.value, None)


@implementer(IProtocol)
class Lane:
    """One connection."""

    __slots__ = (
        "_bare",
        "_beside",
        "_channel",
        "_given",
        "_lane",
        "_log",
        "_meaning",
        "_moment",
        "_prefix",
        "_rest",
        "_send",
        "factory",
        "transport",
    )

    def __init__(self, lane: FastLane, channel: Channel) -> None:
        self._lane = lane
        self._channel = channel
        self._moment = lane.moment
        self._log = lane.log
        self._prefix = b""
        self._beside = True
        self._rest: bytes | None = None
        self._meaning = NOTHING
        self._given: bytes | None = None

    def makeConnection(self, transport: Any) -> None:
        """Stand before the channel."""
        self.transport = transport
        # Of the type: a wrapper, such as TLS, shows the methods of what it wraps, which would go past it.
        self._send = transport.send_now if hasattr(type(transport), "send_now") else self._write
        self._bare = bare(transport)
        self._channel.makeConnection(transport)
        if self._log is not None:
            self._prefix = self._log.lines.prefix(self._channel.address)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The channel has to know."""
        self._channel.connectionLost(reason)

    def dataReceived(self, data: bytes) -> None:
        """Answer what can be answered here, and hand on the rest."""
        if self._beside and not self._channel.quiet:
            self._channel.dataReceived(data)
            return
        self._beside = False
        left = self._answer(data if len(data) <= LONGEST else data[:LONGEST])
        if left or len(data) > LONGEST:
            self._go_on(data, left)

    def _go_on(self, data: bytes, left: int) -> None:
        """Answer what follows the first request, as far as that goes, and hand on the rest."""
        at = 0
        while left >= 0:
            at = min(at + LONGEST, len(data)) - left
            if at == len(data):
                return
            left = OTHERS if self._beside else self._answer(data[at : at + LONGEST])
        self._beside = True
        self._channel.dataReceived(data[at:] if at else data)

    # Each call here costs as much as a look into a table: what nearly all requests need stands in one place.

    def _answer(self, data: bytes) -> int:
        """Answer the request that ``data`` begins with.

        Returns:
            how many bytes there are behind it; ``OTHERS`` if it was not answered.
        """
        try:
            method, path, rest = data.split(b" ", 2)
        except ValueError:
            return OTHERS
        page = self._lane.pages.get(path)
        if page is None:
            return self._answer_file(method, path, rest)
        is_head = method == b"HEAD"
        if method != b"GET" and not is_head:
            return OTHERS
        left = 0 if rest == self._rest else self._listen(rest)
        if left < 0:
            return OTHERS
        meaning = self._meaning
        chooser = page.chooser
        variant = "" if chooser is None else meaning.chosen.get(chooser) or meaning.choose(chooser)
        kept = page.kept.get(variant)
        if kept is None or not kept.fresh_until > self._moment.now:
            return OTHERS
        form = kept.packed if meaning.gzip else kept.plain
        if form is None:
            return OTHERS
        given = self._given
        if given is None:
            whole, logged = form.joined if not is_head else None, form.logged
        elif given and given == form.etag and kept.code == 200:
            whole, logged = form.unchanged, form.logged_304
        elif _ONE_TAG.fullmatch(given):
            whole = None
        else:
            return OTHERS
        kept.uses += 1
        stats = kept.stats
        stats.lane += 1
        self._channel.ahead = True
        if whole is None:
            sent, logged = self._answer_seldom(kept, form, is_head)
        else:
            if given is None:
                stats.bytes += form.length
            else:
                stats.lane_not_modified += 1
            sent = self._send(whole)
            if not sent:
                self._channel.owes(len(whole))
        self._beside = not sent
        log = self._log
        if log is not None:
            line = (self._prefix, log.stamp, method, b" ", path, b" HTTP/1.1", logged, meaning.logged)
            log.append(b"".join(line))
        return left

    def _listen(self, rest: bytes) -> int:
        """Understand what follows a path; clients mostly repeat what they said before.

        Returns:
            how many bytes there are behind the empty line at its end; ``OTHERS`` where the channel has to
            understand it.
        """
        if rest.endswith(AFTER_TAGS):
            # Tags differ all the time, and most clients say them last. What is known before them has no empty
            # line. So they stand before the first one, and not behind it.
            said, _, tags = rest.rpartition(_LINE_OF_TAGS[0])
            for known, meaning in self._lane.before_tags.get(said[::GLANCE], ()):
                if known == said:
                    self._rest, self._meaning, self._given = rest, meaning, tags[:-4]
                    return 0
        else:
            for known, meaning in self._lane.whole.get(rest[::GLANCE], ()):
                if known == rest:
                    self._rest, self._meaning, self._given = rest, meaning, None
                    return 0
        return self._listen_anew(rest)

    def _listen_anew(self, rest: bytes) -> int:
        """The same, of what is not known, or has something behind it."""
        end = rest.find(END)
        if end < 0 or end + 4 - len(VERSION) > LONGEST_BLOCK or not rest.startswith(VERSION):
            return OTHERS
        block, given = _without_tags(rest[:end])
        meaning = self._lane.meaning(block)
        if meaning is None:
            return OTHERS
        self._rest, self._meaning, self._given = rest[: end + 4], meaning, given
        return len(rest) - end - 4

    def _answer_seldom(self, kept: Kept, form: Form, is_head: bool) -> tuple[bool, bytes]:
        """What is not just the same 200 as a moment ago; whether all was sent, and what the log says."""
        moment, stats, given = self._moment, kept.stats, self._given
        if kept.code != 200:
            stats.lane_others[kept.code] = stats.lane_others.get(kept.code, 0) + 1
        if form.noted is not moment.noted:
            self._note_form(kept, form)
        logged = form.logged
        pieces: tuple[bytes, ...]
        # Most are asked for once a second at most: only what is asked for again is worth a copy in one piece.
        again, form.moment = form.moment == moment.number, moment.number
        if given is not None and kept.code == 200 and _names(given, form.etag):
            stats.lane_not_modified += 1
            logged = form.logged_304
            if form.unchanged is not None:
                pieces = (form.unchanged,)
            elif again:
                pieces = (moment.joined_304(kept, form),)
            else:
                pieces = (b"".join((moment.unchanged, kept.shared_304, form.own, b"\r\n")),)
        elif is_head:
            stats.lane_heads += kept.code == 200
            pieces = (moment.front(kept, form),)
            logged = self._logged(kept, kept.code, 0)
        else:
            stats.bytes += form.length
            if form.joined is not None:
                pieces = (form.joined,)
            elif form.length >= LARGE and (file := self._file_of(kept, form)) is not None:
                return self._send_filed(moment.front(kept, form), file), logged
            elif again and form.length <= JOINED:
                pieces = (moment.joined(kept, form),)
            elif form.length <= SMALL:
                pieces = (moment.front(kept, form) + form.body,)
            else:
                pieces = moment.front(kept, form), form.body
        sent = self._send(*pieces)
        if not sent:
            self._channel.owes(sum(map(len, pieces)))
        return sent, logged

    def _file_of(self, kept: Kept, form: Form) -> MemFile | None:
        """The body for the kernel to send; what is asked for once only is not worth a file."""
        if self._bare is None or (form.file is None and kept.uses < 2):
            return None
        return form.file or form.move(self._lane.memfiles)

    def _send_filed(self, head: bytes, file: MemFile) -> bool:
        """Send a head and a body that is in a file; whether all was sent."""
        assert self._bare is not None
        sending = self._bare.send_page(head, file.descriptor, file.size)
        if sending is None:
            return True
        self._channel.hands(len(head) + file.size)
        sending.addBoth(self._filed_sent, file)
        return False

    def _filed_sent(self, result: Failure | None, file: MemFile) -> None:
        """A body was sent, or will never be; until now somebody had to refer to its file."""
        if result is not None and not isinstance(result.value, ConnectionClosed):
            log.failure("An answer broke off", result)
            self._channel.abort()
        self._channel.handed()

    # Files are few beside pages, and large: what they need stands apart.

    def _answer_file(self, method: bytes, path: bytes, rest: bytes) -> int:
        """Answer with a file, or with what is said of one; as ``_answer``."""
        file = self._lane.files.get(path)
        if file is None or self._bare is None or method not in (b"GET", b"HEAD"):
            return OTHERS
        left = 0 if rest == self._rest else self._listen(rest)
        meaning = self._meaning
        if left < 0 or meaning.dated:
            return OTHERS
        given = self._given
        named = given is not None and _names(given, file.etag)
        if given is not None and not named and not _ONE_TAG.fullmatch(given):
            return OTHERS
        held = file.at_hand()
        if held is None:
            return OTHERS
        self._channel.ahead = True
        file.stats.lane_files += 1
        line = b"%s %s HTTP/1.1" % (method, path)
        if named:
            self._say(file, 304, b"\r\n", line, meaning)
        elif method == b"HEAD":
            self._say(file, 200, file.end, line, meaning)
        else:
            self._hand(file, held, line, meaning)
        return left

    def _say(self, file: KeptFile, code: int, end: bytes, line: bytes, meaning: Meaning) -> None:
        """Say what the file is, and no more."""
        head = self._moment.plain_head(code) + file.own + end
        sent = self._send(head)
        if not sent:
            self._channel.owes(len(head))
        self._beside = not sent
        self._note(file, code, 0, 0.0, line, meaning.logged)

    def _hand(self, file: KeptFile, held: AbstractContextManager[int], line: bytes, meaning: Meaning) -> None:
        """Begin to send the file; until its end nothing else goes on."""
        transport, begun = self._bare, self._moment.reactor.seconds()
        assert transport is not None
        head = self._moment.plain_head(200) + file.own + file.end
        number = held.__enter__()
        sending: Deferred[None] | None
        if file.size <= PIECE and is_at_hand(number, 0, file.size):
            sending = transport.send_page(head, number, file.size)
        else:
            sending = transport.send_file(number, 0, file.size, head)
        if sending is None:
            held.__exit__(None, None, None)
            self._note(file, 200, file.size, self._moment.reactor.seconds() - begun, line, meaning.logged)
            file.sent()
            return
        handing = Handing(file, held, line, meaning.logged, begun)
        sending.addBoth(self._handed, handing)
        if not handing.over:
            self._beside = handing.waits = True
            self._channel.hands(len(head) + file.size)

    def _handed(self, result: Failure | None, handing: Handing) -> None:
        """The file was sent, or will never be."""
        assert self._bare is not None
        handing.over = True
        handing.release(result)
        seconds = self._moment.reactor.seconds() - handing.begun
        self._note(handing.file, 200, self._bare.sent_of_file, seconds, handing.line, handing.logged)
        if result is None:
            handing.file.sent()
        else:
            self._beside = True
            if not isinstance(result.value, ConnectionClosed):
                log.failure("An answer broke off: {request}", result, request=handing.line)
                self._channel.abort()
        if handing.waits:
            self._channel.handed()

    def _note(self, file: KeptFile, code: int, size: int, seconds: float, line: bytes, logged: bytes) -> None:
        """Count and log an answer, as the long way does it."""
        stats, log = file.stats, self._log
        stats.count("GET" if line.startswith(b"GET") else "HEAD", code, seconds)
        if log is not None:
            answer = log.lines.answer(code, size, seconds=seconds, cache=file.cache, route=stats.route)
            log.append(b"".join((self._prefix, log.stamp, line, answer, logged)))

    def _note_form(self, kept: Kept, form: Form) -> None:
        form.noted = self._moment.noted
        form.logged = self._logged(kept, kept.code, form.length)
        form.logged_304 = self._logged(kept, 304, 0)

    def _logged(self, kept: Kept, code: int, size: int) -> bytes:
        if self._log is None:
            return b""
        return self._log.lines.answer(code, size, cache=self._moment.noted, route=kept.stats.route)

    def _write(self, *pieces: bytes) -> bool:
        """For transports that know no better: TLS, and those of tests."""
        for piece in pieces:
            self.transport.write(piece)
        return False


def _names(given: bytes, etag: bytes) -> bool:
    return bool(etag) and given in (etag, b"W/" + etag)


def _without_tags(block: bytes) -> tuple[bytes, bytes | None]:
    """A block without its ``If-None-Match``, and the value of that; as it is, where it has no such line.

    Most clients say it last, so it is looked for from the end.
    """
    for name in _LINE_OF_TAGS:
        before, found, behind = block.rpartition(name)
        if found:
            given, end, more = behind.partition(b"\r\n")
            return before + end + more, given
    return block, None
