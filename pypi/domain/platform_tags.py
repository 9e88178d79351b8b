"""Which platform tags a wheel on this index may carry."""

from __future__ import annotations

import re

_APPLE = "ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2"
_MUSL = "x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64"

_ALLOWED = re.compile(
    "|".join(
        (
            "any",
            "win32|win_arm64|win_amd64|win_ia64",
            "manylinux1_(?:x86_64|i686)",
            "manylinux2010_(?:x86_64|i686)",
            "manylinux2014_(?:x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)",
            "linux_armv6l|linux_armv7l",
            rf"macosx_10_[0-9]+_(?:{_APPLE})",
            rf"macosx_(?:11|12|13|14|15|26)_0_(?:{_APPLE})",
            rf"manylinux_[0-9]+_[0-9]+_(?:{_MUSL}|ppc64)",
            rf"musllinux_[0-9]+_[0-9]+_(?:{_MUSL})",
            "ios_[0-9]+_[0-9]+_(?:arm64|x86_64)_(?:iphoneos|iphonesimulator)",
            "android_[0-9]+_(?:armeabi_v7a|arm64_v8a|x86|x86_64)",
            "pyemscripten_[0-9]+_[0-9]+_wasm32",
        )
    )
)


def is_allowed(tag: str) -> bool:
    """Whether a wheel may be published for this platform: one that says what it needs.

    A plain ``linux_x86_64`` promises nothing about the system libraries, so it is not.

    Source: PEP 425, 513, 571, 599, 600, 656, 730, 738, 783.
    """
    return _ALLOWED.fullmatch(tag) is not None
