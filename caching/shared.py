"""The shared store (L2): entries in Redis, and for each tag the serial of the last change that touched it.

What is stored is compared twice with what changed: by scripts in Redis, with the serials Redis was told, and
here, with those this process knows. Redis may lose everything at any moment; then the second comparison
alone keeps what is outdated from being used.
"""

from __future__ import annotations

from attrs import define, field

from caching.packing import SERIAL, pack, plain, serial_of, unpack
from caching.redis import Redis, RedisDown
from caching.store import Entry, Turn
from caching.tags import Known

SCHEMA = 1
"""Of the bytes and of the keys; entries of another one are never looked at."""

LARGEST = 4 << 20
"""Bytes of a body: larger ones are not for sharing."""

MOST_TAGS = 1000
"""Of an entry that is shared: each is looked up while Redis does nothing else."""

LEASE = 2_000
"""Milliseconds for which one process makes an entry while others wait."""

LONGEST = 7 * 24 * 3600
"""Seconds an entry is kept at most."""

REMEMBERED = (LONGEST + 24 * 3600) * 1000
"""Milliseconds for which the serial of a tag is kept: longer than any entry it is compared with."""

SWEEP = 500

# Keys: entry, lease. Arguments: prefix of tags, milliseconds of a lease, the serial that is of no use to the
# caller, whether to remove what is there. Returns the entry, 1: it is the caller's turn, 0: another's.
GET = """
local found = redis.pcall('GET', KEYS[1])
if type(found) == 'string' and ARGV[4] == '0' and string.sub(found, 1, 16) ~= ARGV[3] then
  local serial, length = tonumber(string.sub(found, 1, 16)), tonumber(string.sub(found, 17, 22))
  local good, names = false, nil
  if serial and length then good, names = pcall(cjson.decode, string.sub(found, 23, 22 + length)) end
  if not good or type(names) ~= 'table' then return found end
  local outdated = false
  for _, name in ipairs(names) do
    local touched = redis.pcall('GET', ARGV[1] .. tostring(name))
    if type(touched) == 'string' and (tonumber(touched) or 0) > serial then outdated = true break end
  end
  if not outdated then return found end
end
if ARGV[4] == '1' or type(found) == 'table' then redis.call('DEL', KEYS[1]) end
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[2]) then return 1 end
return 0
"""

# Keys: entry, lease, the newest serial, those of the tags. Arguments: serial, entry, milliseconds it is kept,
# milliseconds a serial is kept. Returns whether it was kept.
PUT = """
redis.call('DEL', KEYS[2])
local serial = tonumber(ARGV[1])
for at = 4, #KEYS do
  local touched = redis.pcall('GET', KEYS[at])
  if type(touched) == 'string' and (tonumber(touched) or 0) > serial then return 0 end
end
local there = redis.pcall('GETRANGE', KEYS[1], 0, 15)
if type(there) == 'string' and (tonumber(there) or 0) > serial then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
local newest = redis.pcall('GET', KEYS[3])
if type(newest) ~= 'string' or (tonumber(newest) or 0) < serial then
  redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[4])
end
return 1
"""

# Keys: of the tags, and the newest serial. Arguments: serial, milliseconds it is kept.
TOUCH = """
for _, key in ipairs(KEYS) do
  local touched = redis.pcall('GET', key)
  if type(touched) ~= 'string' or (tonumber(touched) or 0) < tonumber(ARGV[1]) then
    redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
  end
end
return 1
"""


@define
class Counts:
    """What came of it all, since the start; bytes are those of packed entries.

    Attributes:
        hits: entries found, and used.
        misses: nothing there, or nothing that could be used.
        outdated: misses where Redis had an entry that a change it was not told of had touched.
        unreadable: misses where something else stood in the place of an entry.
        puts: entries stored.
        refused: entries not stored: overtaken by a change or by a newer one, or too large.
        failures: calls that Redis did not answer, or not in time.
    """

    hits: int = 0
    misses: int = 0
    outdated: int = 0
    unreadable: int = 0
    puts: int = 0
    refused: int = 0
    failures: int = 0
    bytes_read: int = 0
    bytes_written: int = 0


@define(eq=False, repr=False)
class RedisStore:
    """Fulfils ``caching.store.Shared`` with Redis; one round trip for each call, but for rare second looks.

    Attributes:
        redis: connected, or not.
        known: what this process knows of changes.
        name: of the installation, which may share its Redis with others; plain.
        version: of the software that makes the entries; another one's are never looked at.
        counts: for metrics.
    """

    redis: Redis
    known: Known
    name: str = "cheeseshop"
    version: str = "0"
    counts: Counts = field(factory=Counts, init=False)
    _prefix: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._prefix = f"{plain(self.name)}:{SCHEMA}:{plain(self.version)}:"

    def __repr__(self) -> str:
        counts = self.counts
        asked = counts.hits + counts.misses
        share = f"{100 * counts.hits / asked:.1f} % of {asked}" if asked else "0"
        return f"<RedisStore {share} hits, {counts.puts} kept, {counts.failures} failures>"

    async def get(self, key: str) -> Entry | Turn:
        """The entry, or whose turn it is to make it."""
        found = await self._get(key)
        if isinstance(found, bytes):
            entry = self._usable(key, found)
            if entry is not None:
                return entry
            # Somebody may have replaced it meanwhile, so a second one is looked at, too; but no third.
            found = await self._get(key, instead_of=found)
            entry = self._usable(key, found) if isinstance(found, bytes) else None
            if entry is not None:
                return entry
        self.counts.misses += 1
        if found is None:
            return Turn.NOBODYS
        return Turn.THEIRS if found == 0 else Turn.OURS

    async def put(self, key: str, entry: Entry, seconds: float) -> bool:
        """Keep an entry, unless a change it has not seen touched one of its tags, or a newer one is there.

        Args:
            seconds: it may be of use; beyond a week it is forgotten anyway.

        Returns:
            whether it was kept.
        """
        packed = self._packed(key, entry) if seconds >= 1 else None
        if packed is None:
            self.counts.refused += 1
            return False
        kept = await self._run(
            PUT,
            [*self._places(key), self._newest, *map(self._tag, entry.tags)],
            [str(entry.serial), packed, int(min(seconds, LONGEST) * 1000), REMEMBERED],
        )
        if kept == 1:
            self.counts.puts += 1
            self.counts.bytes_written += len(packed)
        elif kept == 0:
            self.counts.refused += 1
        return kept == 1

    async def touch(self, serial: int, tags: tuple[str, ...]) -> None:
        """A change touched these tags: nothing older is kept under them from now on."""
        keys = [*map(self._tag, tags), self._newest]
        await self._run(TOUCH, keys, [str(serial), REMEMBERED])

    async def newest(self) -> int:
        """The largest serial that anything here bears; 0 where there is none, or Redis is away."""
        found = await self._command("get", self._newest)
        return int(found) if isinstance(found, bytes) and found.isdigit() else 0

    async def forget_all(self) -> bool:
        """Remove everything of ours; a serial counts for nothing any more.

        Returns:
            whether all was removed; otherwise try again.
        """
        cursor: object = b"0"
        while True:
            found = await self._command("scan", cursor, f"{self._prefix}*", SWEEP)
            if not isinstance(found, list):
                return False
            cursor, keys = found
            if keys and await self._command("delete", keys) is None:
                return False
            if cursor == b"0":
                return True

    def _usable(self, key: str, data: bytes) -> Entry | None:
        entry = unpack(key, data)
        if entry is None:
            self.counts.unreadable += 1
        elif not self.known.admits(entry.serial, entry.tags):
            self.counts.outdated += 1
        else:
            self.counts.hits += 1
            self.counts.bytes_read += len(data)
            return entry
        return None

    def _packed(self, key: str, entry: Entry) -> bytes | None:
        if len(entry.body) > LARGEST or len(entry.tags) > MOST_TAGS:
            return None
        if not self.known.admits(entry.serial, entry.tags):
            return None
        try:
            return pack(key, entry)
        except ValueError:
            return None

    async def _get(self, key: str, *, instead_of: bytes = b"") -> object:
        """What is stored, 1 or 0 for a lease that is ours or not, ``None`` from no Redis.

        Args:
            instead_of: what is there and of no use; if nobody can read it, it is removed.
        """
        ruined = bool(instead_of) and unpack(key, instead_of) is None
        arguments = [self._tag_prefix, LEASE, serial_of(instead_of), int(ruined)]
        return await self._run(GET, self._places(key), arguments)

    async def _run(self, script: str, keys: list[str], arguments: list[object]) -> object:
        return await self._command("eval", script, keys, arguments)

    async def _command(self, method: str, *arguments: object) -> object:
        try:
            found: object = await self.redis.command(method, *arguments)
        except RedisDown:
            self.counts.failures += 1
            return None
        return found

    def _places(self, key: str) -> list[str]:
        name = plain(key)
        return [f"{self._prefix}e:{name}", f"{self._prefix}l:{name}"]

    def _tag(self, tag: str) -> str:
        return self._tag_prefix + plain(tag)

    @property
    def _tag_prefix(self) -> str:
        return f"{self._prefix}t:"

    @property
    def _newest(self) -> str:
        return f"{self._prefix}newest"


assert SERIAL == 16, "the scripts have it written out"
