"""The Nu Html Checker, which says whether a page is valid HTML.

It comes as a program for Java, in a package of npm; pip has only one of years ago. It is fetched once, into
the cache of the tests; where it, Java or npm cannot be had, tests that need it are skipped.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.support.site import kept

CHECKER = "vnu-jar@26.9.27"
INSIDE = "package/build/dist/vnu.jar"
NOT_OURS = r"Unicode Normalization Form"
"""What people write is shown as they wrote it."""

FETCH_SECONDS = 90.0
CHECK_SECONDS = 240.0


def complaints(pages: Sequence[Path]) -> list[str]:
    """What is invalid in files of HTML, one line for each; skips the test where there is no checker."""
    java, jar = shutil.which("java"), _checker()
    if java is None:
        pytest.skip("There is no Java on this machine, which the checker of HTML needs.")
    if isinstance(jar, str):
        pytest.skip(f"The checker of HTML cannot be had: {jar}.")
    done = subprocess.run(
        [java, "-Xss2m", "-jar", jar, "--format", "json", "--html", *map(str, pages)],
        capture_output=True,
        text=True,
        timeout=CHECK_SECONDS,
    )
    messages = json.loads(done.stderr)["messages"]
    return [_told(one) for one in messages if not re.search(NOT_OURS, one["message"])]


def _told(message: dict[str, object]) -> str:
    page = str(message.get("url", "")).rpartition("/")[2]
    extract = " ".join(str(message.get("extract", "")).split())
    return f"{page}:{message.get('lastLine')}: {message['message']} | {extract}"


@cache
def _checker() -> Path | str:
    folder = kept(CHECKER.replace("@", "-"), _fetch)
    return folder if isinstance(folder, str) else folder / "vnu.jar"


def _fetch(folder: Path) -> str:
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm on this machine"
    try:
        done = subprocess.run(
            [npm, "pack", "--silent", "--pack-destination", str(folder), CHECKER],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"npm took more than {FETCH_SECONDS:g} s"
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["npm said nothing"])[-1]
    return _unpack(next(folder.glob("*.tgz")), folder)


def _unpack(archive: Path, folder: Path) -> str:
    with tarfile.open(archive) as members:
        jar = members.extractfile(INSIDE)
        if jar is None:
            return f"{CHECKER} has no {INSIDE}"
        (folder / "vnu.jar").write_bytes(jar.read())
    archive.unlink()
    return ""
