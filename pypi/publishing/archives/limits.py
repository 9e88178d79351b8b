"""How much of an archive is read before it is refused."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Limits:
    """Bounds of one inspection; the defaults let the largest wheels in public use pass.

    Attributes:
        entries: members of the archive; the most a ZIP without ZIP64 can count.
        expanded_bytes: all members together, uncompressed.
        ratio: expanded bytes to bytes of the file.
        ratio_from_bytes: expanded bytes below which the ratio does not matter.
        metadata_bytes: METADATA or PKG-INFO.
        details_bytes: WHEEL, and entry_points.txt.
        record_bytes: RECORD, which grows with the number of entries.
        path_bytes: a member's whole name, in UTF-8.
        segment_bytes: one segment of it: what file systems grant.
        depth: segments of a member's name.
        pax_bytes: one extended header of a tar.
        pax_records: records of one extended header.
        gzip_members: members of one gzip file.
    """

    entries: int = 65_535
    expanded_bytes: int = 2 << 30
    ratio: int = 50
    ratio_from_bytes: int = 64 << 20
    metadata_bytes: int = 4 << 20
    details_bytes: int = 1 << 20
    record_bytes: int = 32 << 20
    path_bytes: int = 4096
    segment_bytes: int = 255
    depth: int = 100
    pax_bytes: int = 64 << 10
    pax_records: int = 1000
    gzip_members: int = 10_000

    def expansion(self, file_bytes: int) -> int:
        """The most bytes a file of ``file_bytes`` may expand to for its compression ratio."""
        return max(self.ratio * file_bytes, self.ratio_from_bytes)
