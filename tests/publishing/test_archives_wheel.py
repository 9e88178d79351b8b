"""A wheel is what its filename says, and its RECORD tells the truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pypi.domain.errors import Invalid, InvalidDistribution
from pypi.publishing.archives import Limits
from pypi.publishing.archives.contents import LicenseFileMissing
from pypi.publishing.archives.record import STRONG
from tests.support.archives import (
    core_metadata,
    hash_of,
    inspected,
    sha256_of,
    wheel,
    wheel_contents,
    wheel_filename,
)

FILENAME = wheel_filename()
INFO = "demo-1.0.dist-info"


def refused(data: bytes, limits: Limits | None = None) -> str:
    """The whole sentence of the refusal."""
    with pytest.raises(Invalid) as refusal:
        inspected(data, FILENAME, limits)
    return str(refusal.value)


def test_contents() -> None:
    """The metadata comes out byte for byte, with what else was found."""
    about = core_metadata(headers=[("License-File", "legal/MIT.txt")], description="caf\u00e9\n")
    contents = inspected(wheel(metadata=about, dist_info_files={"licenses/legal/MIT.txt": b"free"}), FILENAME)
    assert contents.metadata == about
    assert contents.license_files == ("legal/MIT.txt",)
    assert contents.entries == 5
    assert contents.warnings == ()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("WHEEL", f"Invalid distribution file. WHEEL not found at {INFO}/WHEEL"),
        ("METADATA", f"Wheel '{FILENAME}' does not contain the required METADATA file: {INFO}/METADATA"),
        ("RECORD", f"Wheel '{FILENAME}' does not contain the required RECORD file: {INFO}/RECORD"),
    ],
)
def test_required_files(name: str, sentence: str) -> None:
    """WHEEL, METADATA and RECORD are required."""
    assert refused(wheel(omit=[name])) == sentence


def test_dist_info_of_another_release() -> None:
    """The ``.dist-info`` folder is named as the file is."""
    sentence = f"Invalid distribution file. WHEEL not found at {INFO}/WHEEL"
    assert refused(wheel("other")) == sentence
    assert refused(wheel(version="1.0.0")) == sentence


@pytest.mark.parametrize("folder", ["other-1.0.dist-info", "Demo-1.0.dist-info", "demo-1.0.DIST-INFO"])
def test_second_dist_info(folder: str) -> None:
    """There is one ``.dist-info`` folder, whatever the case."""
    sentence = f"Besides {INFO} there is another .dist-info folder: '{folder}'"
    assert refused(wheel(files={f"{folder}/METADATA": b""})) == f"Invalid distribution file. {sentence}"


def test_dist_info_further_down() -> None:
    """What a wheel vendors brings its own ``.dist-info``, further down."""
    assert inspected(wheel(files={"demo/_vendor/other-1.0.dist-info/METADATA": b""}), FILENAME).entries == 4


def test_dist_info_in_two_cases() -> None:
    """Of the files in ``.dist-info`` none can be taken for another."""
    assert "'demo-1.0.dist-info/metadata' are one file" in refused(wheel(dist_info_files={"metadata": b""}))


@pytest.mark.parametrize(
    "contents", [b"", b"\xff\xfe", b"Wheel-Version: 2.0\n", b"Wheel-Version: one\n", b"Wheel-Version: 1\n"]
)
def test_wheel_version(contents: bytes) -> None:
    """Only version 1 of the format is taken."""
    assert "Its Wheel-Version is " in refused(wheel(wheel_file=contents))


@pytest.mark.parametrize(
    "contents",
    [
        wheel_contents("py2-none-any"),
        wheel_contents("py2.py3-none-any"),
        wheel_contents(".".join("x" * 200) + "-none-any"),
        b"Wheel-Version: 1.9\n",
    ],
)
def test_other_tags(contents: bytes) -> None:
    """Tags in WHEEL other than the filename's are worth a warning."""
    warnings = inspected(wheel(wheel_file=contents), FILENAME).warnings
    assert warnings == ("The tags in WHEEL are not those of the filename.",)


def test_compressed_tags() -> None:
    """Tags may be written together in the filename and apart in WHEEL."""
    contents = wheel_contents("py2-none-any") + b"Tag: py3-none-any\n"
    filename = wheel_filename(tag="py2.py3-none-any")
    assert inspected(wheel(wheel_file=contents), filename).warnings == ()


def setting(path: str, *line: str) -> Callable[[dict[str, Any]], object]:
    """Changes one line of RECORD, or takes it out."""
    return lambda lines: lines.update({path: line}) if line else lines.pop(path)


CODE = b"answer = 42\n"

RECORDS: dict[str, tuple[dict[str, Any], str]] = {
    "file not listed": (
        {"record": setting("demo.py")},
        "contains 'demo.py', which its RECORD does not list",
    ),
    "METADATA not listed": (
        {"record": setting(f"{INFO}/METADATA")},
        f"contains '{INFO}/METADATA', which its RECORD does not list",
    ),
    "files not listed": (
        {"record": lambda lines: lines.clear()},
        f"contains '{INFO}/METADATA' and 2 more, which its RECORD does not list",
    ),
    "file not there": (
        {"record": setting("evil.py", sha256_of(b""), "0")},
        "has a RECORD that lists 'evil.py', which it does not contain",
    ),
    "file outside": (
        {"record": setting("../evil.py", sha256_of(b""), "0")},
        "has a RECORD that lists '../evil.py', which it does not contain",
    ),
    "wrong hash": (
        {"record": setting("demo.py", sha256_of(b"other"), "12")},
        "has a RECORD whose hash of 'demo.py' is not that of the file",
    ),
    "wrong size": (
        {"record": setting("demo.py", sha256_of(CODE), "13")},
        "has a RECORD whose size of 'demo.py' is not that of the file",
    ),
    "no hash": (
        {"record": setting("demo.py", "", "12")},
        "has a RECORD that lists 'demo.py' without a hash; use sha256 or better",
    ),
    "size that is none": (
        {"record": setting("demo.py", sha256_of(CODE), "twelve")},
        "has a RECORD with the size 'twelve' for 'demo.py'",
    ),
    "two columns": (
        {"record_file": b"demo.py,x\n"},
        "has a RECORD with a line of 2 columns instead of 3",
    ),
    "contradiction": (
        {"record_file": b"demo.py,sha256=a,1\ndemo.py,sha256=b,1\n"},
        "has a RECORD with different lines for 'demo.py'",
    ),
    "not UTF-8": ({"record_file": b"\xff,,\n"}, "has a RECORD that is not UTF-8"),
    "not CSV": ({"record_file": b'"demo.py,,\n'}, "has a RECORD that is not CSV: unexpected end of data"),
    "NUL": ({"record_file": b"a\0b,,\n"}, "has a RECORD that lists 'a\\x00b', which it does not contain"),
    "field too long": (
        {"record_file": b"x" * 200_000},
        "has a RECORD that is not CSV: field larger than field limit (131072)",
    ),
}


@pytest.mark.parametrize("case", RECORDS)
def test_record(case: str) -> None:
    """A RECORD that does not describe the wheel is refused, with the first file that differs."""
    knobs, clause = RECORDS[case]
    assert refused(wheel(**knobs)) == f"Wheel '{FILENAME}' {clause}"


def test_long_record() -> None:
    """A RECORD may not list more files than a wheel may hold."""
    data = wheel(record=lambda lines: lines.update({str(number): ("", "") for number in range(9)}))
    assert refused(data, Limits(entries=12)).endswith("has a RECORD that lists more than 12 files")
    assert "which it does not contain" in refused(data, Limits(entries=13))


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224"])
def test_weak_hashes(algorithm: str) -> None:
    """Hashes weaker than sha256 are refused, true or not."""
    sentence = refused(wheel(record=setting("demo.py", hash_of(algorithm, CODE), "12")))
    assert sentence.endswith(f"lists 'demo.py' with '{algorithm}'; use sha256 or better")


@pytest.mark.parametrize("algorithm", ["crc32", "shake_128", ""])
def test_unknown_hashes(algorithm: str) -> None:
    """Hashes RECORD does not know are refused."""
    assert "use sha256 or better" in refused(wheel(record=setting("demo.py", f"{algorithm}=x", "12")))


@pytest.mark.parametrize("algorithm", sorted(STRONG))
def test_strong_hashes(algorithm: str) -> None:
    """Any hash as good as sha256 is taken when true, and refused when not."""
    assert inspected(wheel(record=setting("demo.py", hash_of(algorithm, CODE), "12")), FILENAME)
    wrong = wheel(record=setting("demo.py", hash_of(algorithm, b""), "12"))
    assert "whose hash of 'demo.py' is not" in refused(wrong)


def tolerated(lines: dict[str, tuple[str, str]]) -> None:
    """Everything RECORD may do beside the usual."""
    lines["pkg\\mod.py"] = lines.pop("pkg/mod.py")
    lines["pkg/"] = ("", "")
    lines["demo.py"] = (lines["demo.py"][0] + "=", "")
    del lines[f"{INFO}/RECORD"]
    del lines[f"{INFO}/RECORD.jws"]


def test_hashes_in_capitals() -> None:
    """Python 2.7 writes ``SHA256=…`` into RECORD; it is the same hash."""
    shouted = hash_of("sha256", CODE).replace("sha256", "SHA256")
    assert inspected(wheel(record=setting("demo.py", shouted, "12")), FILENAME)


def test_tolerated_record() -> None:
    """Backslashes, folders, padding and missing sizes are let through, and signatures need no line."""
    data = wheel(
        files={"pkg/mod.py": b"", "demo.py": CODE},
        dist_info_files={"RECORD.jws": b"{}", "RECORD.p7s": b""},
        record=tolerated,
    )
    assert inspected(data, FILENAME).entries == 7


def test_repeated_lines() -> None:
    """The same line twice says nothing new, and an empty one nothing at all."""
    again = []
    wheel(record=lambda lines: again.append(dict(lines)))
    record = "".join(f"{path},{digest},{size}\n" for path, (digest, size) in again[0].items()) * 2
    assert inspected(wheel(record_file=b"\n" + record.encode()), FILENAME).entries == 4


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        b"no section\n",
        b"[console_scripts]\nno value\n",
        b"[console_scripts]\nbad name = demo:main\n",
        b"[gui_scripts]\n../x = demo:main\n",
        b"[console_scripts]\na = b:c\na = d:e\n",
        b"[console_scripts\na = b:c\n",
        b"[console_scripts]\na" + b" " * 1_000_000 + b"b\n",
    ],
)
def test_entry_points(text: bytes) -> None:
    """Entry points that cannot be read, or would make scripts of impossible names, are refused."""
    sentence = f"Wheel '{FILENAME}' has invalid entry points defined in the entry_points.txt file"
    assert refused(wheel(dist_info_files={"entry_points.txt": text})) == sentence


def test_good_entry_points() -> None:
    """Names of other groups may be anything."""
    text = (
        b"# demo\n[console_scripts]\ndemo-1.x = demo:main [extra]\n[other.group]\na name: or so = %(x)s:y\n"
    )
    assert inspected(wheel(dist_info_files={"entry_points.txt": text}), FILENAME).entries == 5


@pytest.mark.parametrize("name", ["METADATA", "WHEEL", "entry_points.txt", "RECORD"])
def test_large_files(name: str) -> None:
    """Each file of ``.dist-info`` that is read has a limit."""
    limits = Limits(metadata_bytes=1000, details_bytes=1000, record_bytes=1000)
    padding = b"\n" * 1001
    knobs: dict[str, Any] = {
        "METADATA": {"metadata": core_metadata() + padding},
        "WHEEL": {"wheel_file": wheel_contents() + padding},
        "entry_points.txt": {"dist_info_files": {"entry_points.txt": padding}},
        "RECORD": {"record_file": padding},
    }[name]
    assert f"'{INFO}/{name}' is larger than 1000 bytes" in refused(wheel(**knobs), limits)


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        (core_metadata("other"), "Its metadata is of project 'other', its filename of 'demo'"),
        (core_metadata(version="2"), "Its metadata is of version '2', its filename of '1.0'"),
    ],
)
def test_metadata_of_another_release(about: bytes, sentence: str) -> None:
    """METADATA repeats the name and version of the filename."""
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(wheel(metadata=about), FILENAME)
    assert refusal.value.detail == sentence


@pytest.mark.parametrize("path", ["LICENSE", "licenses", "../LICENSE"])
def test_license_file_missing(path: str) -> None:
    """Every license file the metadata names is in ``.dist-info/licenses``."""
    data = wheel(headers=[("License-File", path)], dist_info_files={"LICENSE": b"free"})
    with pytest.raises(LicenseFileMissing) as refusal:
        inspected(data, FILENAME)
    assert str(refusal.value) == (
        f"License-File {path} does not exist in distribution file {FILENAME} at {INFO}/licenses/{path}"
    )
