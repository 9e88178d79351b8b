"""The fast lane by itself: what it answers, what it leaves to the channel, and what it remembers."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define, field
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from caching.kept import Heads, Kept
from caching.lane import BESIDE, LONGEST_BLOCK, MOST_ALIKE, MOST_BLOCKS, FastLane, Lane, Meaning
from caching.memory import Memory
from caching.moment import JOINED, Moment, Trust
from caching.stats import RouteStats
from tests.caching.support import a_kept, an_entry, chooser

H = b"Host: h\r\n"
GET, HEAD = b"GET /x/ HTTP/1.1\r\n" + H + b"\r\n", b"HEAD /x/ HTTP/1.1\r\n" + H + b"\r\n"


@define(eq=False)
class Channel:
    """Notes what the lane hands on."""

    quiet: bool = True
    ahead: bool = False
    owed: list[int] = field(factory=list)
    got: list[bytes] = field(factory=list)
    lost: bool = False
    transport: Any = None

    def owes(self, length: int) -> None:
        self.owed.append(length)

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport

    def dataReceived(self, data: bytes) -> None:
        self.got.append(data)

    def connectionLost(self, reason: Failure) -> None:
        self.lost = True


@define(eq=False)
class Transport:
    """Sends at once; the client takes all, or nothing."""

    taken: bool = True
    sent: list[tuple[bytes, ...]] = field(factory=list)

    def send_now(self, *pieces: bytes) -> bool:
        self.sent.append(pieces)
        return self.taken


@define(eq=False)
class Slow:
    """A transport that cannot send at once."""

    sent: list[bytes] = field(factory=list)

    def write(self, data: bytes) -> None:
        self.sent.append(data)


@define(eq=False)
class Reader:
    """Reads blocks as simply as a test can; says nothing of those with an ``X``."""

    blocks: list[bytes] = field(factory=list)

    def __call__(self, block: bytes) -> Meaning | None:
        self.blocks.append(block)
        if b"\r\nX" in block:
            return None
        accept = "json" if b"json" in block else None
        return Meaning(accept=accept, gzip=b"gzip" in block)


class Stand:
    """A lane before a channel, and what memory has: ``/x/`` in two representations, and some others."""

    def __init__(self, transport: Any = None) -> None:
        self.clock = Clock()
        self.reader = Reader()
        self.stats = RouteStats("/x/")
        self.moment = Moment(self.clock, lambda: 0.0, b"srv", "test")
        self.memory = Memory(1 << 20)
        self.heads = Heads()
        self.fast = FastLane(self.memory, self.moment, self.reader)
        self.channel = Channel()
        self.transport = transport or Transport()
        self.lane: Lane = self.fast.before(self.channel)
        self.lane.makeConnection(self.transport)
        self.html = self.keep("/x/", b"the page")
        self.json = self.keep("/x/", b"{}", "json")

    def keep(self, address: str, body: bytes, variant: str = "html", **entry: Any) -> Kept:
        """Put something into memory."""
        kept = a_kept(address, variant, an_entry(body, **entry), heads=self.heads, stats=self.stats)
        assert self.memory.put(kept, chooser)
        return kept

    def answer(self, kept: Kept, code: int = 200) -> bytes:
        """The whole answer that is expected."""
        form = kept.packed
        return self.moment.head(code) + kept.shared + form.own + form.end + form.body

    def send(self, *data: bytes) -> None:
        """The client sends."""
        for one in data:
            self.lane.dataReceived(one)

    @property
    def sent(self) -> bytes:
        """Everything that was sent."""
        return b"".join(b"".join(one) for one in self.transport.sent)


@pytest.fixture
def stand() -> Stand:
    return Stand()


# What it answers


def test_a_plain_get(stand: Stand) -> None:
    """A plain GET is answered at once, in one piece, and the channel hears that the connection is in use."""
    stand.send(GET)
    assert stand.transport.sent == [(stand.answer(stand.html),)]
    assert (stand.channel.got, stand.channel.ahead, stand.channel.owed) == ([], True, [])
    assert (stand.html.uses, stand.stats.hits + stand.stats.lane, stand.stats.bytes) == (1, 1, 8)


def test_head(stand: Stand) -> None:
    """HEAD gets the lines alone, the length of the body among them."""
    stand.send(HEAD)
    assert stand.sent == stand.answer(stand.html).removesuffix(b"the page")
    assert stand.stats.bytes == 0


def test_several_at_once(stand: Stand) -> None:
    """Requests that arrive together are answered one by one, in order."""
    stand.send(GET + HEAD + GET)
    assert len(stand.transport.sent) == 3
    assert stand.sent.endswith(stand.answer(stand.html))
    assert stand.channel.got == []


def test_a_large_answer_goes_out_in_two_pieces(stand: Stand) -> None:
    """A large body is not copied."""
    large = stand.keep("/large/", b"x" * (JOINED + 1))
    stand.send(GET.replace(b"/x/", b"/large/"))
    [(head, body)] = stand.transport.sent
    assert body is large.packed.body
    assert head + body == stand.answer(large)


def test_representations(stand: Stand) -> None:
    """Each client gets the representation that its headers mean, where memory has it."""
    stand.send(GET.replace(H, H + b"Accept: json\r\n"))
    assert stand.sent == stand.answer(stand.json)
    stand.keep("/y/", b"y")
    stand.send(asked := GET.replace(H, H + b"Accept: json\r\n").replace(b"/x/", b"/y/"))
    assert stand.channel.got == [asked]


def test_compression(stand: Stand) -> None:
    """A client that takes no gzip is answered only from a form without it."""
    kept = stand.keep("/p/", b"packed", packed=True)
    plain, packed = GET.replace(b"/x/", b"/p/"), GET.replace(b"/x/", b"/p/").replace(H, H + b"A: gzip\r\n")
    stand.send(packed)
    assert stand.sent == stand.answer(kept)
    stand.send(plain)
    assert stand.channel.got == [plain]
    stand.memory.grow(kept, kept.unpacked(b"not packed"))
    stand.send(plain)
    assert stand.sent.endswith(b"Content-Length: 10\r\n\r\nnot packed")


def test_other_codes(stand: Stand) -> None:
    """Redirects and refusals are answered, too; a condition changes nothing about them."""
    kept = stand.keep("/old", b"", code=301, etag=None, headers=(("Location", "/x/"),))
    stand.send(GET.replace(b"/x/", b"/old").replace(H, H + b'If-None-Match: "x"\r\n'))
    assert stand.sent == stand.answer(kept, 301)


@pytest.mark.parametrize("given", [b'"x"', b'W/"x"'])
@pytest.mark.parametrize("name", [b"If-None-Match", b"if-none-match"])
@pytest.mark.parametrize("asked", [GET, HEAD])
def test_not_modified(stand: Stand, given: bytes, name: bytes, asked: bytes) -> None:
    """A client that has the answer is told so."""
    stand.send(asked.replace(H, name + b": " + given + b"\r\n" + H))
    assert stand.sent == stand.moment.unchanged + stand.html.shared_304 + b'ETag: "x"\r\n\r\n'
    assert stand.stats.not_modified + stand.stats.lane_not_modified == 1
    assert b"Content-" not in stand.sent.replace(b"X-Content-", b"")


@pytest.mark.parametrize("given", [b'"y"', b'W/"y"', b'""', b'"W/"', b'"xx"'])
def test_modified(stand: Stand, given: bytes) -> None:
    """A client that has another answer gets this one."""
    stand.send(GET.replace(H, H + b"If-None-Match: " + given + b"\r\n"))
    assert stand.sent == stand.answer(stand.html)


@pytest.mark.parametrize(
    "given",
    [b"*", b'"x", "y"', b"x", b'"x', b'"x" ', b' "x"', b'w/"x"', b'"\xe9"', b'"a\x01"', b"", b'"a"b"'],
)
def test_conditions_the_channel_has_to_weigh(stand: Stand, given: bytes) -> None:
    """Anything but one well-formed tag is the channel's business."""
    stand.send(asked := GET.replace(H, H + b"If-None-Match: " + given + b"\r\n"))
    assert (stand.channel.got, stand.sent) == ([asked], b"")


# What it leaves to the channel


@pytest.mark.parametrize(
    "asked",
    [
        GET.replace(b"GET", b"POST"),
        GET.replace(b"GET", b"get"),
        GET.replace(b"/x/", b"/nothing/"),
        GET.replace(b"/x/", b"/x/?y"),
        GET.replace(b"1.1", b"1.0"),
        GET.replace(b"GET ", b"GET  "),
        GET.replace(b" HTTP", b"  HTTP"),
        GET.replace(b"1.1\r\n", b"1.1 \r\n"),
        GET.replace(b"\r\n", b"\n"),
        GET.replace(H, H + b"X: y\r\n"),
        GET.replace(H, H + b"Y: " + b"y" * LONGEST_BLOCK + b"\r\n"),
        GET[:-1],
        GET[:5],
        b"\r\n" + GET,
        b"",
        b"GET /x/ HTTP/1.1",
    ],
)
def test_what_it_leaves(stand: Stand, asked: bytes) -> None:
    """What it is not sure of goes on byte for byte."""
    stand.send(asked)
    assert (stand.channel.got, stand.sent) == ([asked], b"")


def test_what_it_cannot_find() -> None:
    """No bytes of a client lead to an answer that is kept aside."""
    stand = Stand()
    stand.keep("/x/?a=b" + BESIDE.decode() + "html", b"aside")
    for ending in (b"?a=b" + BESIDE + b"html", b"?a=b" + BESIDE, b"?a=b", b"?a=b HTTP/1.1\r\nhtml"):
        stand.send(GET.replace(b"/x/", b"/x/" + ending))
    assert stand.sent == b""


def test_the_rest_goes_to_the_channel(stand: Stand) -> None:
    """From the first request it leaves, everything goes to the channel, until that has come to rest."""
    other = GET.replace(b"GET", b"PUT")
    stand.send(GET + other + GET)
    assert len(stand.transport.sent) == 1
    assert stand.channel.got == [other + GET]
    stand.channel.quiet = False
    stand.send(GET)
    assert stand.channel.got == [other + GET, GET]
    stand.channel.quiet = True
    stand.send(GET)
    assert len(stand.transport.sent) == 2


def test_a_new_channel_that_is_not_quiet(stand: Stand) -> None:
    """A connection that was turned away from the beginning stays so."""
    stand.channel.quiet = False
    stand.send(GET)
    assert (stand.channel.got, stand.sent) == ([GET], b"")


@pytest.mark.parametrize("trust", [Trust.FRESH, Trust.DOUBTED, Trust.ALONE])
def test_freshness(stand: Stand, trust: Trust) -> None:
    """What is not fresh, or was touched by a change, is not answered; trust decides what is fresh."""
    stand.moment.set(trust)
    stand.send(GET)
    assert bool(stand.sent) == (trust is not Trust.DOUBTED)
    stand.html.touch()
    stand.transport.sent.clear()
    stand.send(GET)
    assert stand.sent == b""
    late = stand.keep("/late/", b"late")
    late.fresh_until = -1.0
    stand.send(GET.replace(b"/x/", b"/late/"))
    assert bool(stand.sent) == (trust is Trust.ALONE)


def test_closing(stand: Stand) -> None:
    """Once closed, it answers nothing on any connection."""
    stand.send(GET)
    stand.fast.close()
    stand.send(GET)
    assert stand.channel.got == [GET]


# Clients that do not keep up


def test_an_answer_that_is_not_taken(stand: Stand) -> None:
    """When the client does not take an answer, the channel learns its length, and gets what follows."""
    stand.transport.taken = False
    stand.send(GET * 3)
    assert stand.sent == stand.answer(stand.html)
    assert stand.channel.owed == [len(stand.sent)]
    assert stand.channel.got == [GET * 2]
    stand.channel.quiet = False
    stand.send(GET)
    assert stand.channel.got == [GET * 2, GET]


def test_transports_that_cannot_send_at_once() -> None:
    """Over TLS an answer is written the ordinary way, and the channel looks after it."""
    stand = Stand(Slow())
    large = stand.keep("/large/", b"x" * (JOINED + 1))
    stand.send(GET.replace(b"/x/", b"/large/"))
    sent = b"".join(stand.transport.sent)
    assert sent == stand.answer(large)
    assert stand.channel.owed == [len(sent)]


def test_the_end(stand: Stand) -> None:
    """The channel learns of its transport and of the end."""
    stand.lane.connectionLost(Failure(ConnectionDone()))
    assert stand.channel.transport is stand.transport
    assert stand.channel.lost


# What it remembers


def test_blocks_are_read_once(stand: Stand) -> None:
    """A block of headers is read once, whatever is asked for, and whatever a client has of it."""
    stand.send(GET, HEAD, GET)
    for given in (b'"x"', b'"y"'):
        stand.send(GET.replace(H, H + b"If-None-Match: " + given + b"\r\n"))
        stand.send(GET.replace(H, b"if-none-match: " + given + b"\r\n" + H))
    assert stand.reader.blocks == [b"\r\nHost: h"]
    assert len(stand.transport.sent) == 7


@pytest.mark.parametrize("line", [b"", b'If-None-Match: "y"\r\n', b'if-none-match: "y"\r\n'])
def test_blocks_that_look_alike(stand: Stand, line: bytes) -> None:
    """Blocks of the same length that differ in few bytes are told apart, and all are remembered."""
    agents = [b"Agent: %x%x\r\n" % (10 + n, 15 - n) for n in range(MOST_ALIKE // 2)]
    kinds = [b"gzip: %d\r\n" % n for n in (0, 1)]
    kept = stand.keep("/p/", b"packed", packed=True)
    stand.memory.grow(kept, kept.unpacked(b"not packed"))
    asked = GET.replace(b"/x/", b"/p/").replace(H, H + b"".join((agents[0], kinds[0])) + line)
    for _ in range(3):
        for agent in agents:
            for kind in (*kinds, b"gzap: 0\r\n"):
                stand.transport.sent.clear()
                stand.send(asked.replace(agents[0], agent).replace(kinds[0], kind))
                assert stand.sent.endswith(b"not packed" if kind == b"gzap: 0\r\n" else b"packed")
    assert len(stand.reader.blocks) == 3 * len(agents)


def test_blocks_that_only_look_conditional(stand: Stand) -> None:
    """Words that are no such header stay where they are, as does a second one."""
    stand.send(GET.replace(H, H + b"Y: one-two\r\n"))
    tagged = b'If-None-Match: "x"\r\n'
    stand.send(GET.replace(H, H + tagged + tagged))
    assert stand.reader.blocks == [b"\r\nHost: h\r\nY: one-two", b'\r\nHost: h\r\nIf-None-Match: "x"']


def test_a_value_on_two_lines(stand: Stand) -> None:
    """Of a value that goes on in the next line the rest is left, for the reader to refuse."""
    stand.send(GET.replace(H, H + b'If-None-Match: "x"\r\n "y"\r\n'))
    assert stand.reader.blocks == [b'\r\nHost: h\r\n "y"']


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    "behind",
    [b'If-None-Match: "x"\r\n', b'\r\nIf-None-Match: "x"\r\n', b'\r\nIf-None-Match: "x"\r\n\r\n'],
)
def test_tags_behind_the_end(stand: Stand, known: bool, behind: bytes) -> None:
    """What stands behind the empty line is of no request that ends there, however it may look."""
    if known:
        stand.send(GET)
        stand.transport.sent.clear()
    stand.send(GET + behind)
    assert stand.sent == stand.answer(stand.html)
    assert stand.channel.got == [behind]


def test_tags_of_the_second_of_two(stand: Stand) -> None:
    """A condition is of the request it stands in."""
    stand.send(GET)
    stand.transport.sent.clear()
    stand.send(GET + GET.replace(H, H + b'If-None-Match: "x"\r\n') + GET)
    unchanged = stand.moment.unchanged + stand.html.shared_304 + b'ETag: "x"\r\n\r\n'
    assert stand.sent == stand.answer(stand.html) + unchanged + stand.answer(stand.html)


def test_blocks_remembered_are_bounded(stand: Stand) -> None:
    """However many kinds of headers come, a bounded number is remembered, those in use among them."""
    for number in range(3 * MOST_BLOCKS):
        stand.fast.meaning(b"HTTP/1.1\r\nHost: %d" % number)
        stand.fast.meaning(b"HTTP/1.1\r\nHost: h")
        assert len(stand.fast._young) <= MOST_BLOCKS
        assert len(stand.fast._old) <= MOST_BLOCKS
        assert len(stand.fast.whole) <= MOST_BLOCKS
        assert len(stand.fast.before_tags) <= MOST_BLOCKS
    assert stand.reader.blocks.count(b"\r\nHost: h") == 1


def test_what_it_says_of_itself(stand: Stand) -> None:
    """A lane is recognised in a log."""
    stand.send(GET)
    assert repr(stand.fast) == "<FastLane to 1 pages, 1 kinds of headers>"
