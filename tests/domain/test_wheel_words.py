"""What wheels are for, in words."""

from __future__ import annotations

import pytest

from pypi.domain.wheel_words import MOST_TAGS, Suits, suits


@pytest.mark.parametrize(
    ("tags", "pythons", "systems"),
    [
        ("py3-none-any", ["any Python 3"], ["any system"]),
        ("py2.py3-none-any", ["any Python 2 or 3"], ["any system"]),
        ("py38.py39-none-any", ["Python 3.8", "Python 3.9"], ["any system"]),
        ("cp311-cp311-win_amd64", ["CPython 3.11"], ["Windows, x86-64"]),
        ("cp311-cp311-win32", ["CPython 3.11"], ["Windows, 32-bit x86"]),
        ("cp37-abi3-win_arm64", ["CPython 3.7 or later"], ["Windows, ARM64"]),
        ("cp313-cp313t-linux_armv7l", ["CPython 3.13, free-threaded"], ["Linux, ARMv7"]),
        ("pp39-pypy39_pp73-any", ["PyPy 3.9"], ["any system"]),
        (
            "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
            ["CPython 3.11"],
            ["Linux (glibc 2.17 or later), x86-64"],
        ),
        (
            "cp311-cp311-manylinux_2_17_x86_64.manylinux_2_5_x86_64.manylinux1_x86_64.manylinux_2_28_aarch64",
            ["CPython 3.11"],
            ["Linux (glibc 2.5 or later), x86-64", "Linux (glibc 2.28 or later), ARM64"],
        ),
        (
            "cp38-cp38-manylinux1_i686.musllinux_1_1_i686",
            ["CPython 3.8"],
            ["Linux (glibc 2.5 or later), 32-bit x86", "Linux (musl 1.1 or later), 32-bit x86"],
        ),
        ("py3-none-macosx_11_0_arm64", ["any Python 3"], ["macOS 11 or later, Apple silicon"]),
        (
            "py3-none-macosx_10_9_universal2",
            ["any Python 3"],
            ["macOS 10.9 or later, Intel and Apple silicon"],
        ),
        ("py3-none-ios_13_0_arm64_iphoneos", ["any Python 3"], ["iOS 13.0 or later, ARM64"]),
        (
            "py3-none-ios_13_0_x86_64_iphonesimulator",
            ["any Python 3"],
            ["iOS 13.0 or later, x86-64 (simulator)"],
        ),
        ("py3-none-android_21_arm64_v8a", ["any Python 3"], ["Android (API level 21 or later), ARM64"]),
        ("py3-none-pyemscripten_2025_0_wasm32", ["any Python 3"], ["WebAssembly (Emscripten, 2025.0)"]),
        ("graalpy311-none-os2", ["graalpy311"], ["os2"]),
    ],
)
def test_words(tags: str, pythons: list[str], systems: list[str]) -> None:
    """Every tag that may be published has words; any other stays as it is."""
    assert suits(f"cheese_shop-1.0-{tags}.whl") == Suits(tuple(pythons), tuple(systems))


def test_a_build_number() -> None:
    """What stands before the tags does not matter."""
    assert suits("a-1-2build-py3-none-any.whl").pythons == ("any Python 3",)


@pytest.mark.parametrize("filename", ["a-1.0.tar.gz", "a.whl", "", "a-b.whl"])
def test_no_wheel(filename: str) -> None:
    """What is no wheel has no tags."""
    assert suits(filename) == Suits((), ())


def test_a_bound() -> None:
    """A filename may hold many tags, of which not all are said."""
    tags = ".".join(f"py{number}" for number in range(30, 200))
    assert len(suits(f"a-1-{tags}-none-any.whl").pythons) == MOST_TAGS
