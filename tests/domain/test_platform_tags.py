"""Platform tags: the families an index takes."""

from __future__ import annotations

import pytest

from pypi.domain.platform_tags import is_allowed


@pytest.mark.parametrize(
    "tag",
    [
        "any",
        "win32",
        "win_amd64",
        "win_arm64",
        "win_ia64",
        "manylinux1_i686",
        "manylinux2010_x86_64",
        "manylinux2014_s390x",
        "manylinux2014_ppc64",
        "linux_armv6l",
        "linux_armv7l",
        "macosx_10_9_x86_64",
        "macosx_10_6_intel",
        "macosx_11_0_universal2",
        "macosx_15_0_arm64",
        "macosx_26_0_arm64",
        "manylinux_2_28_x86_64",
        "manylinux_2_17_ppc64",
        "manylinux_2_31_riscv64",
        "musllinux_1_2_aarch64",
        "musllinux_1_2_riscv64",
        "ios_13_0_arm64_iphoneos",
        "ios_13_0_x86_64_iphonesimulator",
        "android_21_arm64_v8a",
        "android_24_x86",
        "pyemscripten_2025_0_wasm32",
    ],
)
def test_tags_that_say_what_they_need(tag: str) -> None:
    """One tag of every family is taken."""
    assert is_allowed(tag)


@pytest.mark.parametrize(
    "tag",
    [
        "",
        "linux_x86_64",
        "linux_aarch64",
        "win_mips",
        "manylinux1_aarch64",
        "manylinux2010_aarch64",
        "manylinux2014_riscv64",
        "manylinux_2_28_mips",
        "musllinux_1_2_ppc64",
        "macosx_11_1_arm64",
        "macosx_16_0_arm64",
        "macosx_10_9_riscv64",
        "ios_13_0_arm64",
        "ios_13_0_i386_iphonesimulator",
        "android_21_mips",
        "emscripten_3_1_58_wasm32",
        "pyemscripten_2025_0_wasm64",
        "Any",
        "any\n",
        "manylinux_٢_28_x86_64",
        "manylinux_2_28_x86_64.any",
        "manylinux_" + "1" * 100_000,
    ],
)
def test_tags_that_do_not(tag: str) -> None:
    """A bare ``linux_…``, an unknown machine, other digits and other spellings are not."""
    assert not is_allowed(tag)
