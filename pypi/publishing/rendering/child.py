"""The process that renders descriptions, one after another, for ``pypi.publishing.descriptions``."""

from __future__ import annotations

import mimetypes
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import docutils  # type: ignore[import-untyped]
import pygments  # type: ignore[import-untyped]
import readme_renderer

from pypi.publishing.children.confined import serve
from pypi.publishing.rendering import wire
from pypi.publishing.rendering.markup import render
from pypi.publishing.rendering.wire import NotRendered

_NEVER = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "urllib.")
# Lexers, languages and templates are read when a text asks for them.
_LIBRARIES = tuple(
    {
        os.path.join(os.path.realpath(folder), "")
        for folder in (
            Path(os.__file__).parent,
            *(Path(str(package.__file__)).parent.parent for package in (docutils, pygments, readme_renderer)),
        )
    }
)


def main() -> None:
    """Render until the parent closes the pipe.

    The last argument of the command but one is the most bytes of HTML.
    """
    most = int(sys.argv[-2])
    # Settings of docutils are ours alone, wherever the system or a folder has some more.
    os.environ["DOCUTILSCONFIG"] = ""
    # Docutils asks for the type of each image, and the first time that is asked files of the system are read.
    mimetypes.init(())
    sys.addaudithook(refuse)
    serve(lambda body: wire.write_result(_result(wire.read_job(body), most)))


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Let the interpreter read nothing but its libraries, and reach nobody.

    The renderers are set to do neither; this is for the day they forget.

    Raises:
        PermissionError: that is not for a description to do.
    """
    if event == "open":
        path, _, flags = arguments
        if not isinstance(path, str | bytes) or flags & os.O_ACCMODE != os.O_RDONLY:
            raise PermissionError("a description writes no file")
        if not os.path.realpath(os.fsdecode(path)).startswith(_LIBRARIES):
            raise PermissionError("a description reads no file")
    elif event.startswith(_NEVER):
        raise PermissionError(f"a description does no {event}")


def _result(job: wire.Job, most: int) -> wire.Result:
    try:
        html = render(job.text, job.content_type)
    except NotRendered as reason:
        return reason
    except MemoryError:
        raise
    except RecursionError:
        return NotRendered("is nested too deeply to render")
    except Exception:
        # Renderers stumble over some input; that is the input's fault, but we want to hear of it.
        traceback.print_exc()
        return NotRendered("cannot be rendered")
    if len(html.encode()) > most:
        return NotRendered("grows too large when it is rendered")
    return html
