"""A whole distribution, from its first byte to its last: what the inspecting process runs."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from pypi.domain.filenames import DistributionFilename, FileType
from pypi.publishing.archives.contents import Contents
from pypi.publishing.archives.limits import Limits
from pypi.publishing.archives.polyglots import check_is_tar_gz, check_is_zip
from pypi.publishing.archives.sdist import inspect_sdist
from pypi.publishing.archives.tars import read_tar_gz
from pypi.publishing.archives.wheel import inspect_wheel
from pypi.publishing.archives.zips import open_zip

DEFAULT_LIMITS = Limits()


def inspect(path: Path, filename: DistributionFilename, limits: Limits = DEFAULT_LIMITS) -> Contents:
    """Read a distribution to its end and check it against its filename.

    Args:
        path: where the file is now.
        filename: what it will be called.
        limits: how much of it to read at most.

    Raises:
        InvalidDistribution: its format is broken, ambiguous or exhausting, or its contents are not
            those of a distribution of that name.
        Invalid: one of the refusals in ``contents``.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if filename.filetype is FileType.SDIST and filename.filename.endswith(".tar.gz"):
            check_is_tar_gz(file, size)
            return inspect_sdist(partial(read_tar_gz, file, size, limits), filename, limits)
        check_is_zip(file)
        archive = open_zip(file, size, limits)
        if filename.filetype is FileType.WHEEL:
            return inspect_wheel(archive, filename, limits)
        return inspect_sdist(archive.tree, filename, limits)
