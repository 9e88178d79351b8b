"""The process that inspects archives, one after another, for ``pypi.publishing.inspection``."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from pypi.domain import filenames
from pypi.domain.errors import Invalid, InvalidDistribution
from pypi.domain.filenames import DistributionFilename
from pypi.publishing.archives import Contents, Limits, wire
from pypi.publishing.archives.whole import inspect as inspect_archive
from pypi.publishing.children.confined import serve

Inspect = Callable[[Path, DistributionFilename, Limits], Contents]


def main(inspect: Inspect = inspect_archive) -> None:
    """Inspect until the parent closes the pipe.

    The last argument of the command but one is the limits, in JSON.
    """
    limits = Limits(**json.loads(sys.argv[-2]))
    serve(lambda body: wire.write_result(_result(wire.read_job(body), limits, inspect)))


def _result(job: wire.Job, limits: Limits, inspect: Inspect) -> wire.Result:
    try:
        filename = filenames.parse(job.filename)
    except ValueError as error:
        return InvalidDistribution(str(error))
    try:
        return inspect(job.path, filename, limits)
    except Invalid as refusal:
        return refusal
    except OSError as error:
        return wire.Failed(str(error))
    except MemoryError:
        raise
    except Exception:
        # Parsers of the standard library stumble over some input; that is the input's fault, but we
        # want to hear of it.
        traceback.print_exc()
        return InvalidDistribution("The archive cannot be read")
