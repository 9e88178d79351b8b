"""What a file is for, in words: the tags of wheels as people say them (PEP 425)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from attrs import frozen

MOST_TAGS = 60
"""Tags of one part of a filename that are put into words."""

MACHINES = {
    "aarch64": "ARM64",
    "arm64": "ARM64",
    "arm64_v8a": "ARM64",
    "armeabi_v7a": "ARMv7",
    "armv6l": "ARMv6",
    "armv7l": "ARMv7",
    "i386": "32-bit x86",
    "i686": "32-bit x86",
    "ppc64": "POWER",
    "ppc64le": "POWER (little-endian)",
    "riscv64": "RISC-V",
    "s390x": "IBM Z",
    "wasm32": "WebAssembly",
    "x86": "32-bit x86",
    "x86_64": "x86-64",
}

APPLE_MACHINES = {
    "arm64": "Apple silicon",
    "fat": "PowerPC and 32-bit Intel",
    "fat3": "PowerPC and Intel",
    "fat64": "64-bit PowerPC and Intel",
    "i386": "32-bit Intel",
    "intel": "Intel",
    "ppc": "PowerPC",
    "ppc64": "64-bit PowerPC",
    "universal": "PowerPC and Intel",
    "universal2": "Intel and Apple silicon",
    "x86_64": "Intel",
}

WINDOWS = {
    "win32": "Windows, 32-bit x86",
    "win_amd64": "Windows, x86-64",
    "win_arm64": "Windows, ARM64",
    "win_ia64": "Windows, Itanium",
}

GLIBC = {"manylinux1": "2.5", "manylinux2010": "2.12", "manylinux2014": "2.17"}

_PYTHONS = {"py": "Python", "cp": "CPython", "pp": "PyPy", "ip": "IronPython", "jy": "Jython"}

_PYTHON = re.compile(r"(py|cp|pp|ip|jy)([0-9])([0-9]*)")


@frozen
class Suits:
    """What a wheel is for.

    Attributes:
        pythons: which, as in ``CPython 3.11``; the tag itself where nobody knows words for it.
        systems: which; one where it suits any.
    """

    pythons: tuple[str, ...]
    systems: tuple[str, ...]


@lru_cache(maxsize=4096)
def suits(filename: str) -> Suits:
    """Put the last three parts of a wheel's filename into words; what is no wheel suits nothing."""
    parts = filename.removesuffix(".whl").split("-")[-3:]
    if not filename.endswith(".whl") or len(parts) != 3:
        return Suits((), ())
    pythons, abis, systems = (part.split(".")[:MOST_TAGS] for part in parts)
    return Suits(tuple(_pythons(pythons, abis)), tuple(_each(_least(systems), system)))


def _least(tags: Iterable[str]) -> Sequence[str]:
    """Of several tags for one kind of Linux those that ask for the least: what they suit, the others suit."""
    kept: dict[str, tuple[tuple[int, ...], str]] = {}
    for tag in tags:
        modern = re.sub(r"^(manylinux1|manylinux2010|manylinux2014)_", _numbered, tag)
        found = re.fullmatch(r"(manylinux|musllinux)_([0-9]{1,4})_([0-9]{1,4})_(.+)", modern)
        kind = f"{found[1]} {found[4]}" if found else tag
        least = (int(found[2]), int(found[3])) if found else ()
        if kind not in kept or least < kept[kind][0]:
            kept[kind] = least, tag
    return [tag for _, tag in kept.values()]


def _numbered(old: re.Match[str]) -> str:
    return f"manylinux_{GLIBC[old[1]].replace('.', '_')}_"


def _each(tags: Iterable[str], word: Callable[[str], str]) -> Iterable[str]:
    return dict.fromkeys(map(word, tags))


def _pythons(tags: Sequence[str], abis: Sequence[str]) -> Iterable[str]:
    if sorted(tags) == ["py2", "py3"]:
        return ["any Python 2 or 3"]
    return _each(tags, lambda tag: python(tag, abis))


def python(tag: str, abis: Sequence[str] = ()) -> str:
    """A python tag with its abi tags: ``cp313`` and ``cp313t`` as ``CPython 3.13, free-threaded``."""
    found = _PYTHON.fullmatch(tag)
    if found is None:
        return tag
    kind, major, minor = found.groups()
    word = _PYTHONS[kind]
    if not minor:
        return f"any {word} {major}"
    word = f"{word} {major}.{minor}"
    if "abi3" in abis or "abi3t" in abis:
        return f"{word} or later"
    return f"{word}, free-threaded" if f"{tag}t" in abis else word


def system(tag: str) -> str:
    """A platform tag: ``manylinux2014_x86_64`` as ``Linux (glibc 2.17 or later), x86-64``."""
    if tag == "any":
        return "any system"
    for pattern, words in _SYSTEMS:
        found = pattern.fullmatch(tag)
        if found is not None:
            return words(*found.groups())
    return WINDOWS.get(tag, tag)


def _machine(tag: str) -> str:
    return MACHINES.get(tag, tag)


_SYSTEMS: Sequence[tuple[re.Pattern[str], Callable[..., str]]] = (
    (
        re.compile(r"manylinux_([0-9]+)_([0-9]+)_(.+)"),
        lambda major, minor, machine: f"Linux (glibc {major}.{minor} or later), {_machine(machine)}",
    ),
    (
        re.compile(r"(manylinux1|manylinux2010|manylinux2014)_(.+)"),
        lambda year, machine: f"Linux (glibc {GLIBC[year]} or later), {_machine(machine)}",
    ),
    (
        re.compile(r"musllinux_([0-9]+)_([0-9]+)_(.+)"),
        lambda major, minor, machine: f"Linux (musl {major}.{minor} or later), {_machine(machine)}",
    ),
    (re.compile(r"linux_(.+)"), lambda machine: f"Linux, {_machine(machine)}"),
    (
        re.compile(r"macosx_([0-9]+)_([0-9]+)_(.+)"),
        lambda major, minor, machine: (
            f"macOS {major if minor == '0' else f'{major}.{minor}'} or later, "
            f"{APPLE_MACHINES.get(machine, machine)}"
        ),
    ),
    (
        re.compile(r"ios_([0-9]+)_([0-9]+)_(.+)_(iphoneos|iphonesimulator)"),
        lambda major, minor, machine, device: (
            f"iOS {major}.{minor} or later, {_machine(machine)}"
            f"{' (simulator)' if device == 'iphonesimulator' else ''}"
        ),
    ),
    (
        re.compile(r"android_([0-9]+)_(.+)"),
        lambda level, machine: f"Android (API level {level} or later), {_machine(machine)}",
    ),
    (
        re.compile(r"pyemscripten_([0-9]+)_([0-9]+)_wasm32"),
        lambda year, patch: f"WebAssembly (Emscripten, {year}.{patch})",
    ),
)
