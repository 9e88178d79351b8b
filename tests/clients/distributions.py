"""Small distributions as real build tools make them, which old and new installers can install."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import time
import zipfile
from importlib.metadata import distributions
from pathlib import Path

from pypi.domain.names import normalize

SETUP = """\
from setuptools import setup

setup(name="{name}", version="{version}", py_modules=["{module}"])
"""

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

BACKEND = '''\
"""Builds the wheel of this one module, on any Python, with nothing to install first."""
import base64
import hashlib
import os
import zipfile

WHEEL = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py2-none-any\\nTag: py3-none-any\\n"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    folder = "{module}-{version}.dist-info"
    files = [
        ("{module}.py", read("{module}.py")),
        (folder + "/METADATA", read("PKG-INFO")),
        (folder + "/WHEEL", WHEEL.encode()),
    ]
    record = folder + "/RECORD,,\\n"
    for path, data in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record = "%s,sha256=%s,%d\\n" % (path, digest, len(data)) + record
    filename = "{module}-{version}-py2.py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, filename), "w") as archive:
        for path, data in files + [(folder + "/RECORD", record.encode())]:
            archive.writestr(path, data)
    return filename
'''


def wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires_python: str = "",
    data: bytes = b"",
    tag: str = "py2.py3-none-any",
) -> Path:
    """Write a wheel of one module.

    Args:
        folder: where to.
        name: of the project; the module is its normalized name with ``_``.
        version: of the release.
        requires_python: of its metadata.
        data: of a further file in it.
        tag: the three tags of its filename.
    """
    module = module_of(name)
    dist_info = f"{module}-{version}.dist-info"
    pythons, abi, platform = tag.split("-")
    tags = "".join(f"Tag: {python}-{abi}-{platform}\n" for python in pythons.split("."))
    files = {
        f"{module}.py": source(version),
        f"{dist_info}/METADATA": metadata(name, version, requires_python),
        f"{dist_info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n{tags}".encode(),
    }
    if data:
        files[f"{module}.data/data/share/{module}.bin"] = data
    record = "".join(f"{path},{_record_hash(content)},{len(content)}\n" for path, content in files.items())
    files[f"{dist_info}/RECORD"] = f"{record}{dist_info}/RECORD,,\n".encode()
    made = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return made


def classic_sdist(folder: Path, name: str, version: str = "1.0") -> Path:
    """Write a source distribution that ``setup.py`` installs."""
    setup = SETUP.format(name=name, version=version, module=module_of(name))
    return _sdist(folder, name, version, {"setup.py": setup})


def modern_sdist(folder: Path, name: str, version: str = "1.0", *, requires_python: str = "") -> Path:
    """Write a source distribution that brings the tool that builds it (PEP 517)."""
    backend = BACKEND.replace("{module}", module_of(name)).replace("{version}", version)
    files = {"pyproject.toml": PYPROJECT, "backend.py": backend}
    return _sdist(folder, name, version, files, requires_python)


def _sdist(folder: Path, name: str, version: str, files: dict[str, str], requires_python: str = "") -> Path:
    top = f"{module_of(name)}-{version}"
    contents = {
        "PKG-INFO": metadata(name, version, requires_python),
        f"{module_of(name)}.py": source(version),
        **{path: text.encode() for path, text in files.items()},
    }
    made = folder / f"{top}.tar.gz"
    with tarfile.open(made, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path, content in contents.items():
            member = tarfile.TarInfo(f"{top}/{path}")
            member.size, member.mtime = len(content), int(time.time())
            archive.addfile(member, io.BytesIO(content))
    return made


def module_of(name: str) -> str:
    """The module of a project, which is also how its name stands in filenames."""
    return normalize(name).replace("-", "_")


def source(version: str) -> bytes:
    """The module's text."""
    return f'version = "{version}"\n'.encode()


def metadata(name: str, version: str, requires_python: str = "") -> bytes:
    """Core metadata, of a version every client knows."""
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        "Summary: A small module for tests",
        "Author-email: Ada <ada@example.com>",
        "Classifier: Programming Language :: Python",
        "Description-Content-Type: text/markdown",
    ]
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    return "\n".join([*lines, "", "# A small module", "", "It has a *version*.", ""]).encode()


def _record_hash(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"


def installed(target: Path) -> dict[str, str]:
    """What an installer put into a folder: normalized name → version."""
    places = [str(target), *map(str, target.glob("*.egg"))]
    return {normalize(one.name): one.version for one in distributions(path=places)}


def sha256(path: Path) -> str:
    """The hexadecimal digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
