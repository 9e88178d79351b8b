"""A bucket behind the S3 API: what blocks, to be called in threads.

Every method raises ``StorageFailed`` or ``StorageFull`` for whatever the API or the network does wrong. An
answer alone is never believed: what was stored is looked up again, with its size and checksum.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any

from attrs import define, field, frozen

from pypi.domain.errors import StorageFailed
from pypi.files.s3_client import Found, Missing, S3Settings, Unbelievable, make_client, refusing
from pypi.files.slices import FileSlice
from pypi.files.spool import Spooled
from pypi.files.store import Listed

PAGE = 1000
"""Most entries of one listing, as the S3 API has it."""

OCTETS = "application/octet-stream"


@frozen(kw_only=True)
class Upload:
    """An upload in parts that has begun."""

    key: str
    id: str


@frozen(kw_only=True)
class Part:
    """One part that was sent; ``sha256`` of its bytes, raw."""

    number: int
    etag: str
    sha256: bytes


class BrokenOff(StorageFailed):
    """The answer ended too soon; asking again for the rest may help."""


@define(eq=False)
class Bucket:
    """The S3 API, for the keys below the settings' prefix."""

    settings: S3Settings
    connections: int
    _made: Any = field(default=None, init=False)
    _lock: Lock = field(factory=Lock, init=False)

    def put(self, key: str, spooled: Spooled) -> None:
        """Send a file in one piece."""
        with refusing(), spooled.path.open("rb") as file:
            self._put(key, file, spooled.size, bytes.fromhex(spooled.sha256), spooled.md5)

    def put_bytes(self, key: str, data: bytes) -> None:
        """Send a small object."""
        md5 = hashlib.new("md5", data, usedforsecurity=False).hexdigest()
        with refusing():
            self._put(key, data, len(data), hashlib.sha256(data).digest(), md5)

    def begin(self, key: str) -> Upload:
        """Begin an upload in parts."""
        with refusing():
            answer = self._client.create_multipart_upload(
                **self._at(key), ContentType=OCTETS, ChecksumAlgorithm="SHA256"
            )
            return Upload(key=key, id=answer["UploadId"])

    def send_part(self, upload: Upload, number: int, source: Path, offset: int, length: int) -> Part:
        """Send ``length`` bytes of the file at ``source`` as part ``number`` (from 1)."""
        with refusing(), FileSlice(source, offset, length) as part:
            digest = hashlib.file_digest(part, "sha256").digest()
            part.seek(0)
            answer = self._client.upload_part(
                **self._at(upload.key),
                UploadId=upload.id,
                PartNumber=number,
                Body=part,
                ContentLength=length,
                ChecksumSHA256=_base64(digest),
            )
            if answer.get("ChecksumSHA256", _base64(digest)) != _base64(digest):
                raise Unbelievable("another checksum of a part")
            return Part(number=number, etag=answer["ETag"], sha256=digest)

    def complete(self, upload: Upload, parts: list[Part], spooled: Spooled) -> None:
        """Make the parts one object."""
        listed = [
            {"PartNumber": part.number, "ETag": part.etag, "ChecksumSHA256": _base64(part.sha256)}
            for part in parts
        ]
        with refusing():
            self._client.complete_multipart_upload(
                **self._at(upload.key), UploadId=upload.id, MultipartUpload={"Parts": listed}
            )
        of_parts = hashlib.sha256(b"".join(part.sha256 for part in parts)).digest()
        self._verify(upload.key, spooled.size, (of_parts, bytes.fromhex(spooled.sha256)))

    def abandon(self, upload: Upload) -> None:
        """Forget the parts sent. What the API does not forget now, ``abandon_old`` will find."""
        with suppress(StorageFailed), refusing():
            self._client.abort_multipart_upload(**self._at(upload.key), UploadId=upload.id)

    def abandon_old(self, older_than: float) -> int:
        """Forget the parts of uploads begun before; how many there were, of at most ``PAGE``."""
        with refusing():
            answer = self._client.list_multipart_uploads(
                Bucket=self.settings.bucket, Prefix=self._key(""), MaxUploads=PAGE
            )
            old = [one for one in answer.get("Uploads", ()) if one["Initiated"].timestamp() < older_than]
            for one in old:
                self._client.abort_multipart_upload(
                    Bucket=self.settings.bucket, Key=one["Key"], UploadId=one["UploadId"]
                )
            return len(old)

    def find(self, key: str) -> Found | None:
        """Look an object up; ``None`` if there is none."""
        try:
            with refusing():
                return Found.of(self._client.head_object(**self._at(key), ChecksumMode="ENABLED"))
        except Missing:
            return None

    def get(self, key: str, start: int, end: int, etag: str) -> IO[bytes]:
        """The bytes from ``start`` to before ``end`` of the object that has this validator, to be read."""
        with refusing():
            wanted = f"bytes {start}-{end - 1}/"
            answer = self._client.get_object(**self._at(key), Range=f"bytes={start}-{end - 1}", IfMatch=etag)
            sent = answer.get("ContentRange", f"bytes 0-{answer['ContentLength'] - 1}/")
            if not sent.startswith(wanted):
                raise Unbelievable(f"asked for {wanted} it sends {sent}")
            body: IO[bytes] = answer["Body"]
            return body

    def read(self, body: IO[bytes], length: int) -> bytes:
        """At most ``length`` bytes, and at least one.

        Raises:
            BrokenOff: the answer stalls, or ends before its end.
        """
        try:
            with refusing():
                data = body.read(length)
        except StorageFailed as refusal:
            raise BrokenOff() from refusal.__cause__
        if not data:
            raise BrokenOff() from Unbelievable("the answer ends before its end")
        return data

    def presigned(self, key: str, seconds: int) -> str:
        """A URL by which anybody may GET the object for so long, to be kept for ever."""
        with refusing():
            url: str = self._client.generate_presigned_url(
                "get_object",
                Params={
                    **self._at(key),
                    "ResponseContentType": OCTETS,
                    "ResponseCacheControl": "max-age=31536000, public, immutable",
                },
                ExpiresIn=seconds,
            )
            return url

    def delete(self, key: str) -> None:
        """Remove an object if it is there."""
        with refusing():
            self._client.delete_object(**self._at(key))

    def page(self, token: str | None) -> tuple[list[Listed], str | None]:
        """Some objects, and the token that asks for the next ones; ``None`` after the last."""
        with refusing():
            answer = self._client.list_objects_v2(
                Bucket=self.settings.bucket,
                Prefix=self._key(""),
                MaxKeys=PAGE,
                **({"ContinuationToken": token} if token else {}),
            )
        listed = [
            Listed(
                path=one["Key"].removeprefix(self._key("")),
                size=one["Size"],
                modified=one["LastModified"].timestamp(),
            )
            for one in answer.get("Contents", ())
        ]
        return listed, answer.get("NextContinuationToken")

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    @property
    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                self._made = make_client(self.settings, self.connections)
            return self._made

    def _key(self, path: str) -> str:
        return f"{self.settings.prefix}/{path}" if self.settings.prefix else path

    def _at(self, path: str) -> dict[str, str]:
        return {"Bucket": self.settings.bucket, "Key": self._key(path)}

    def _put(self, key: str, body: IO[bytes] | bytes, size: int, sha256: bytes, md5: str) -> None:
        self._client.put_object(
            **self._at(key),
            Body=body,
            ContentLength=size,
            ContentType=OCTETS,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=_base64(sha256),
        )
        self._verify(key, size, (sha256,), md5)

    def _verify(self, key: str, size: int, sha256: tuple[bytes, ...], md5: str | None = None) -> None:
        """Look at what was stored; arguments as of ``Found.difference``."""
        found = self.find(key)
        if found is None:
            raise StorageFailed() from Unbelievable(f"{key} was accepted, but is missing")
        problem = found.difference(size, [_base64(one) for one in sha256], md5)
        if problem:
            raise StorageFailed() from Unbelievable(f"{key} was accepted, but {problem}")


def _base64(digest: bytes) -> str:
    return b64encode(digest).decode("ascii")
