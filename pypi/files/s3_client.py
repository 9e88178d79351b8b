"""The client of the S3 API: settings, how boto3 is made, and its errors as refusals."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import field, frozen

from pypi.domain.errors import StorageFailed, StorageFull

TRIES = 3
"""How often a request is sent before it counts as failed."""

_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity", "507"})
_MD5 = re.compile(r'"?([0-9a-f]{32})"?')


@frozen(kw_only=True)
class S3Settings:
    """Which bucket, and how to reach it.

    Attributes:
        prefix: of every key, without slashes around it; may be empty.
        endpoint_url: of the S3 API; ``None`` for the default of the region.
        region: ``None``: as boto3 finds it.
        access_key, secret_key: ``None``: as boto3 finds them (environment, shared files, machine role).
        connect_timeout, read_timeout: seconds until a connection stands, and between bytes that arrive.
    """

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    region: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    connect_timeout: float = 2.0
    read_timeout: float = 10.0

    @classmethod
    def from_url(cls, url: str, *, endpoint_url: str = "", region: str = "") -> S3Settings:
        """Read ``s3://bucket/prefix``; empty texts mean the default.

        Raises:
            ValueError: it is no such URL.
        """
        found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", url)
        if found is None:
            raise ValueError(f"Not a URL of the form s3://bucket/prefix: {url!r}")
        prefix = (found[2] or "").strip("/")
        return cls(bucket=found[1], prefix=prefix, endpoint_url=endpoint_url or None, region=region or None)


@frozen(kw_only=True)
class Found:
    """An object, as the API describes it.

    Attributes:
        size: bytes.
        modified: POSIX seconds.
        etag: as given, quoted.
        sha256: base64, of the bytes or of the digests of the parts; ``None`` if the API keeps none.
        etag_is_md5: whether it must be the MD5 of an object sent in one piece.
    """

    size: int
    modified: float
    etag: str
    sha256: str | None
    etag_is_md5: bool

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Found:
        """Read the answer to a HEAD."""
        checksum = answer.get("ChecksumSHA256")
        encryption = answer.get("ServerSideEncryption", "AES256")
        return cls(
            size=answer["ContentLength"],
            modified=answer["LastModified"].timestamp(),
            etag=answer["ETag"],
            # ``-<count>`` tells how many parts the digests are of; base64 has no minus.
            sha256=checksum and checksum.partition("-")[0],
            etag_is_md5=encryption == "AES256" and "SSECustomerAlgorithm" not in answer,
        )

    def difference(self, size: int, sha256: Collection[str], md5: str | None) -> str:
        """What is wrong with what was stored; empty if nothing is.

        Args:
            sha256: each that it may have.
            md5: hexadecimal; compared where the API keeps no SHA-256.
        """
        if self.size != size:
            return f"it has {self.size} bytes, not {size}"
        if self.sha256 is not None:
            return "" if self.sha256 in sha256 else f"it has the checksum {self.sha256}, not {sha256}"
        etag = _MD5.fullmatch(self.etag)
        if md5 and self.etag_is_md5 and etag and etag[1] != md5:
            return f"it has the ETag {self.etag}, not {md5}"
        return ""


class Missing(StorageFailed):
    """There is no such object."""


class Unbelievable(Exception):
    """The API says one thing and another."""


def make_client(settings: S3Settings, connections: int) -> Any:
    """A boto3 client with bounded times and tries; it may be used by many threads."""
    # Heavy, so only whoever has a bucket pays for it, in a thread.
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client(
        "s3",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        config=Config(
            signature_version="s3v4",  # also of presigned URLs
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            max_pool_connections=connections,
            # Checksums are ours; others, in trailers, are more than many implementations of the API know.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
        ),
    )


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what boto3 raises into refusals."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _MISSING:
            raise Missing() from error
        raise (StorageFull() if code in _FULL else StorageFailed()) from error
    except (BotoCoreError, Unbelievable, KeyError) as error:
        # A KeyError is an answer that lacks what it must have.
        raise StorageFailed() from error
