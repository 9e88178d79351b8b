"""Uploads that are refused: each with its status and one sentence, and with nothing stored.

What the checks themselves know is tested where they are; here, that each one stands in the way of a real
upload and that no refusal leaves a row, a file, a temporary file or a used-up filename behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from random import Random

import pytest
from packaging.requirements import Requirement

from tests.support.archives import (
    STORED,
    ZipMember,
    core_metadata,
    sdist,
    sdist_filename,
    tar_member,
    wheel,
    wheel_filename,
)
from tests.support.client import Reply
from tests.support.forms import CONTENT_TYPE, Part, Value, multipart, upload_parts
from tests.support.index import OWNER, Alter, Index, basic, with_token

MAX_FILE, MAX_PROJECT = 256 << 10, 400 << 10
SETTINGS = {
    "uploads__max_file_size": MAX_FILE,
    "uploads__max_project_size": MAX_PROJECT,
    "uploads__reserved_names": "Internal_Tools",
    "limits__factor": 0,
}

CORE_METADATA = "See https://packaging.python.org/specifications/core-metadata for more information."
LOCAL_VERSIONS = (
    "See https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers "
    "for more information."
)
NAME_GRAMMAR = "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."

WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"


async def check(index: Index, sending: Callable[[], Awaitable[Reply]], status: int, sentence: str) -> Reply:
    """Send; the answer has this status and says this sentence everywhere, and the index is as it was.

    Args:
        sending: uploads with ``Accept: application/json``.
    """
    before = index.state()
    reply = await sending()
    assert (reply.status, reply.json()["message"]) == (status, sentence)
    assert reply.json()["code"] == f"{status} {sentence}"
    assert reply.reason == " ".join(sentence.split())[:400].encode("latin-1", "replace").decode("latin-1")
    assert not index.state() - before
    return reply


async def check_upload(
    index: Index, status: int, sentence: str, data: bytes, filename: str, **options: Value
) -> Reply:
    """Check that this upload is refused."""

    async def sending() -> Reply:
        return await index.upload(data, filename, accept="application/json", **options)  # type: ignore[arg-type]

    return await check(index, sending, status, sentence)


# The form's own fields

FORM_FIELDS = [
    ({"protocol_version": "2"}, "Unknown protocol version."),
    ({"name": None}, f"'' is an invalid value for Name. Error: This field is required. {CORE_METADATA}"),
    (
        {"name": "UNKNOWN"},
        f"'' is an invalid value for Name. Error: This field is required. {CORE_METADATA}",
    ),
    ({"name": "demo-"}, f"'demo-' is an invalid value for Name. Error: {NAME_GRAMMAR} {CORE_METADATA}"),
    ({"name": "dem o"}, f"'dem o' is an invalid value for Name. Error: {NAME_GRAMMAR} {CORE_METADATA}"),
    ({"name": "démo"}, f"'démo' is an invalid value for Name. Error: {NAME_GRAMMAR} {CORE_METADATA}"),
    ({"name": "дemo"}, f"'дemo' is an invalid value for Name. Error: {NAME_GRAMMAR} {CORE_METADATA}"),
    (
        {"name": "d" * 201},
        f"'{'d' * 30}...{'d' * 30}' is an invalid value for Name. Error: {NAME_GRAMMAR} {CORE_METADATA}",
    ),
    ({"filetype": None}, "Invalid value for filetype. Error: This field is required."),
    ({"filetype": "bdist_egg"}, "Invalid value for filetype. Error: Use a known file type."),
    (
        {"pyversion": None},
        "Invalid value for pyversion. Error: Python version is required for binary distribution uploads.",
    ),
    ({"version": None}, f"'version' is a required field. {CORE_METADATA}"),
    ({"version": "one"}, f"'one' is invalid for 'version'. {CORE_METADATA}"),
    ({"summary": ["one", "two"]}, f"'summary' has invalid data. {CORE_METADATA}"),
    (
        {"project_urls": ["Home, https://a.example", "Home, https://b.example"]},
        f"'project_urls' has invalid data. {CORE_METADATA}",
    ),
    ({"sha256_digest": None, "blake2_256_digest": None}, "Error: Include at least one message digest."),
    (
        {"sha256_digest": "0123"},
        "Invalid value for sha256_digest. Error: Use a valid, hex-encoded, SHA256 message digest.",
    ),
    (
        {"sha256_digest": "z" * 64},
        "Invalid value for sha256_digest. Error: Use a valid, hex-encoded, SHA256 message digest.",
    ),
    (
        {"blake2_256_digest": "0" * 128},
        "Invalid value for blake2_256_digest. Error: Use a valid, hex-encoded, BLAKE2 message digest.",
    ),
    *(
        ({field: wrong}, "The digest supplied does not match a digest calculated from the uploaded file.")
        for field, wrong in [
            ("sha256_digest", "0" * 64),
            ("blake2_256_digest", "0" * 64),
            ("md5_digest", "0" * 32),
            ("md5_digest", "not a digest"),
        ]
    ),
]


@pytest.mark.parametrize(("fields", "sentence"), FORM_FIELDS, ids=str)
async def test_form_fields(index: Index, fields: Mapping[str, Value], sentence: str) -> None:
    """A form that breaks a rule of its own is refused for the first of them."""
    await check_upload(index, 400, sentence, wheel(), WHEEL, **fields)


async def test_sdist_of_a_python_version(index: Index) -> None:
    """A source distribution is for no Python in particular."""
    sentence = "Invalid value for pyversion. Error: Use 'source' as Python version for an sdist."
    await check_upload(index, 400, sentence, sdist(), SDIST, pyversion="py3")


# Filenames

FILENAMES = [
    ("demo-1.0.tar.bz2", "Invalid file extension: Use .tar.gz, .whl or .zip extension."),
    ("demo-1.0.egg", "Invalid file extension: Use .tar.gz, .whl or .zip extension."),
    ("demo-1.0-py3-none-any.WHL", "Invalid file extension: Use .tar.gz, .whl or .zip extension."),
    ("", "Invalid filename: ''"),
    (".demo-1.0.tar.gz", "Invalid filename: '.demo-1.0.tar.gz'"),
    ("demo 1.0.tar.gz", "Invalid filename: 'demo 1.0.tar.gz'"),
    ("..%2Fdemo-1.0.tar.gz", "Invalid filename: '..%2Fdemo-1.0.tar.gz'"),
    ("démo-1.0.tar.gz", "Invalid filename: 'démo-1.0.tar.gz'"),
    ("../demo-1.0.tar.gz", "Cannot upload a file with '/' or '\\' in the name."),
    (r"dir\demo-1.0.tar.gz", "Cannot upload a file with '/' or '\\' in the name."),
    (
        "demo%0A-1.0.tar.gz",
        "Cannot upload a file with non-printable characters (ordinals 0-31) or the DEL character "
        "(ordinal 127) in the name.",
    ),
    ("demo.tar.gz", "Invalid source distribution filename: demo.tar.gz"),
    ("demo-one.tar.gz", "Invalid source distribution filename: demo-one.tar.gz"),
    (f"demo-{'1' * 250}.tar.gz", f"Filename is too long: 'demo-{'1' * 250}.tar.gz'"),
    ("demo-1.0-py3-none.whl", "Invalid wheel filename (wrong number of parts): 'demo-1.0-py3-none'"),
    ("demo-1.0-x-py3-none-any.whl", "Invalid build number: x in 'demo-1.0-x-py3-none-any'"),
    ("demo-one-py3-none-any.whl", "Invalid wheel filename (invalid version): 'demo-one-py3-none-any'"),
    (
        "demo-1.0-cp312-cp312-linux_x86_64.whl",
        "Binary wheel 'demo-1.0-cp312-cp312-linux_x86_64.whl' has an unsupported platform tag "
        "'linux_x86_64'.",
    ),
    (
        "demo-1.0-cp312-cp312-win32.linux_x86_64.whl",
        "Binary wheel 'demo-1.0-cp312-cp312-win32.linux_x86_64.whl' has an unsupported platform tag "
        "'linux_x86_64'.",
    ),
    ("demos-1.0.tar.gz", "Start filename for 'demo' with 'demo'."),
    ("demo-1.1.tar.gz", "Version in filename should be '1.0' not '1.1'."),
]


@pytest.mark.parametrize(("filename", "sentence"), FILENAMES)
async def test_filenames(index: Index, filename: str, sentence: str) -> None:
    """A filename that is no distribution's, or another distribution's, is refused."""
    is_wheel = filename.lower().endswith(".whl")
    data, model = (wheel(), WHEEL) if is_wheel else (sdist(), SDIST)

    def renamed(parts: Sequence[Part]) -> Sequence[Part]:
        return [*parts[:-1], Part("content", data, filename)]

    async def sending() -> Reply:
        return await index.upload(data, model, accept="application/json", alter=renamed)

    await check(index, sending, 400, sentence)


@pytest.mark.parametrize(
    ("data", "filename", "filetype", "pyversion", "sentence"),
    [
        (wheel(), WHEEL, "sdist", "source", "Extension .whl is invalid for filetype sdist."),
        (sdist(), SDIST, "bdist_wheel", "py3", "Extension .tar.gz is invalid for filetype bdist_wheel."),
        (
            sdist(ending=".zip"),
            "demo-1.0.zip",
            "bdist_wheel",
            "py3",
            "Extension .zip is invalid for filetype bdist_wheel.",
        ),
    ],
)
async def test_filename_and_filetype(
    index: Index, data: bytes, filename: str, filetype: str, pyversion: str, sentence: str
) -> None:
    """The extension has to be that of the announced kind of distribution."""
    sentence = f"Invalid file extension: {sentence}"
    await check_upload(index, 400, sentence, data, filename, filetype=filetype, pyversion=pyversion)


async def test_zip_sdist(index: Index) -> None:
    """A source distribution in a zip archive is refused unless the operator switched them on."""
    sentence = "Invalid file extension: 'demo-1.0.zip': source distributions are .tar.gz on this index."
    await check_upload(index, 400, sentence, sdist(ending=".zip"), "demo-1.0.zip")


# Names


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Json", "The name 'Json' isn't allowed (conflict with Python Standard Library module name)."),
        (
            "distutils",
            "The name 'distutils' isn't allowed (conflict with Python Standard Library module name).",
        ),
        ("internal.tools", "The name 'internal.tools' isn't allowed."),
        ("Forbidden-Fruit", "The name 'Forbidden-Fruit' isn't allowed."),
        (
            "pi110w.case",
            "The name 'pi110w.case' is too similar to an existing project ('Pillow-Case').",
        ),
        ("pillowcase", "The name 'pillowcase' is too similar to an existing project ('Pillow-Case')."),
    ],
)
async def test_names_that_cannot_be_taken(index: Index, name: str, sentence: str) -> None:
    """Nobody takes a name of the standard library, of the operator's list, or that reads like another's."""
    index.sql("INSERT INTO prohibited_names VALUES ('forbidden-fruit', '', now()) ON CONFLICT DO NOTHING")
    index.sql(
        "INSERT INTO projects (name, normalized, look_alike, created) "
        "VALUES ('Pillow-Case', 'pillow-case', 'p1110wcase', now()) ON CONFLICT DO NOTHING"
    )
    await check_upload(index, 400, sentence, wheel(name), wheel_filename(name), name=name)


# Metadata in the file

METADATA = [
    ("Metadata-Version: 2.0", "'2.0' is not a valid metadata version."),
    ("Metadata-Version: 3.0", "'3.0' is not a valid metadata version."),
    ("Summary: " + "s" * 513, "'summary' field must be 512 characters or less."),
    (
        "Description-Content-Type: text/html",
        "'description-content-type' must be one of ['text/markdown', 'text/plain', 'text/x-rst'], "
        "not 'text/html'.",
    ),
    (
        "Author-email: nobody",
        "'nobody' is not a valid email address: An email address must have an @-sign.",
    ),
    ("Classifier: Cheese :: Blue", "'Cheese :: Blue' is not a valid classifier."),
    (
        "Classifier: Natural Language :: Ukranian",
        "The classifier 'Natural Language :: Ukranian' has been deprecated, use one of "
        "['Natural Language :: Ukrainian'] instead.",
    ),
    ("Home-page: javascript:alert(1)", "'javascript:alert(1)' is not a valid url."),
    ("Project-URL: Home, file:///etc/passwd", "'file:///etc/passwd' is not a valid url."),
    ("Project-URL: " + "l" * 33 + ", https://a.example", f"{'l' * 33!r} must be 32 characters or less."),
    ("Requires-Python: soon", "'soon' is invalid for 'requires-python'."),
    ("Requires-Dist: >=1", "'>=1' is invalid for 'requires-dist'."),
    (
        "Requires-Dist: b @ https://b.example/b.whl",
        f"Can't have direct dependency: {Requirement('b @ https://b.example/b.whl')}.",
    ),
    ("Provides-Extra: -x", "'-x' is invalid for 'provides-extra'."),
    ("License-Expression: Mine", "'Mine' is invalid for 'license-expression'."),
    (
        "License: MIT\nLicense-Expression: MIT",
        "License is deprecated when License-Expression is present. "
        "Only License-Expression should be present.",
    ),
    ("Dynamic: Name", "'name' is not allowed as a dynamic field."),
    ("Import-Name: demo", "import-name introduced in metadata version 2.5, not 2.4."),
]


@pytest.mark.parametrize(("headers", "sentence"), METADATA)
async def test_metadata_that_breaks_the_standard(index: Index, headers: str, sentence: str) -> None:
    """Metadata inside the file is held to the current standard, whatever the form says."""
    pairs = [tuple(line.split(": ", 1)) for line in headers.split("\n")]
    inside = core_metadata(headers=pairs)  # type: ignore[arg-type]
    if headers.startswith("Metadata-Version"):
        inside = core_metadata(metadata_version=headers.rpartition(" ")[2])
    await check_upload(index, 400, f"{sentence} {CORE_METADATA}", wheel(metadata=inside), WHEEL)


async def test_local_version(index: Index) -> None:
    """A local version is not published."""
    sentence = f"The use of local versions in '1.0+ours' is not allowed. {LOCAL_VERSIONS}"
    data, filename = wheel(version="1.0+ours"), wheel_filename(version="1.0+ours")
    await check_upload(index, 400, sentence, data, filename)


@pytest.mark.parametrize(
    ("inside", "sentence"),
    [
        (
            core_metadata("other"),
            "Invalid distribution file. Its metadata is of project 'other', its filename of 'demo'",
        ),
        (
            core_metadata(version="1.1"),
            "Invalid distribution file. Its metadata is of version '1.1', its filename of '1.0'",
        ),
        (
            b"\xef\xbb\xbf" + core_metadata(),
            "The metadata inside the file begins with a byte order mark, "
            "which installers take for a part of the first header.",
        ),
        (
            core_metadata() + b"\0",
            "The metadata inside the file contains a NUL character.",
        ),
        (
            core_metadata(headers=[("Author", "\xff")]).decode().encode("latin-1"),
            "The metadata inside the file is not UTF-8.",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
async def test_metadata_of_something_else(index: Index, kind: str, inside: bytes, sentence: str) -> None:
    """The file's metadata has to be readable, and of the release its filename announces."""
    data, filename = (wheel(metadata=inside), WHEEL) if kind == "wheel" else (sdist(metadata=inside), SDIST)
    await check_upload(index, 400, sentence, data, filename)


# Form against file

PAIRS = [
    ("requires_dist", "Requires-Dist", "evil", "good"),
    ("requires_dist", "Requires-Dist", "good", None),
    ("requires_python", "Requires-Python", ">=3.8", ">=3.9"),
    ("requires_python", "Requires-Python", ">=3.8", None),
    ("requires_external", "Requires-External", "libpng", "libjpg"),
    ("provides_extra", "Provides-Extra", "x", "y"),
    ("provides_dist", "Provides-Dist", "a", "b"),
    ("obsoletes_dist", "Obsoletes-Dist", "a", "b"),
    ("license_expression", "License-Expression", "MIT", "Apache-2.0"),
    ("license_expression", "License-Expression", "MIT", None),
    ("license_file", "License-File", "LICENSE", "COPYING"),
    ("license", "License", "mine", "yours"),
    ("summary", "Summary", "safe", "unsafe"),
    ("description_content_type", "Description-Content-Type", "text/plain", "text/markdown"),
    ("keywords", "Keywords", "safe", "unsafe"),
    ("home_page", "Home-page", "https://evil.example", "https://good.example"),
    ("download_url", "Download-URL", "https://evil.example", "https://good.example"),
    ("project_urls", "Project-URL", "Home, https://evil.example", "Home, https://good.example"),
    ("author", "Author", "Eve", "Ada"),
    ("author_email", "Author-email", "eve@evil.example", "ada@good.example"),
    ("maintainer", "Maintainer", "Eve", "Ada"),
    ("maintainer_email", "Maintainer-email", "eve@evil.example", "ada@good.example"),
    ("classifiers", "Classifier", "Private :: Yes", "Private :: No"),
    ("platform", "Platform", "any", "none"),
    ("dynamic", "Dynamic", "License", "Author"),
]


@pytest.mark.parametrize(("field", "header", "said", "found"), PAIRS)
async def test_form_that_differs_from_the_file(
    index: Index, field: str, header: str, said: str, found: str | None
) -> None:
    """A form that shows something other than what the file installs is refused."""
    headers = [] if found is None else [(header, found)]
    inside = f"has {found!r}" if found else "has it not"
    sentence = (
        f"{field!r} in the upload form differs from the metadata inside the file: "
        f"the form has {said!r}, the file {inside}."
    )
    files = {"demo-1.0.dist-info/licenses/COPYING": b"all rights", "demo.py": b""}
    data = wheel(headers=headers, files=files)
    await check_upload(index, 400, sentence, data, WHEEL, **{field: said})


# Archives: a few of each kind, to see that they are inspected at all

ARCHIVES = [
    (WHEEL, b"", "Invalid distribution file. File is not a zipfile"),
    (WHEEL, b"not a zip", "Invalid distribution file. File is not a zipfile"),
    (WHEEL, sdist(), "Invalid distribution file. File is not a zipfile"),
    (WHEEL, wheel() + b"PK", "Invalid distribution file. ZIP archive not accepted: Trailing data"),
    (WHEEL, wheel(before=b"#!/bin/sh\n"), "Invalid distribution file. File is not a zipfile"),
    (WHEEL, wheel(omit=["WHEEL"]), "Invalid distribution file. WHEEL not found at demo-1.0.dist-info/WHEEL"),
    (
        WHEEL,
        wheel(omit=["METADATA"]),
        f"Wheel {WHEEL!r} does not contain the required METADATA file: demo-1.0.dist-info/METADATA",
    ),
    (
        WHEEL,
        wheel(omit=["RECORD"]),
        f"Wheel {WHEEL!r} does not contain the required RECORD file: demo-1.0.dist-info/RECORD",
    ),
    (
        WHEEL,
        wheel(record=lambda lines: lines.pop("demo.py")),
        f"Wheel {WHEEL!r} contains 'demo.py', which its RECORD does not list",
    ),
    (
        WHEEL,
        wheel(record=lambda lines: lines.update({"demo.py": ("sha256=AAAA", "12")})),
        f"Wheel {WHEEL!r} has a RECORD whose hash of 'demo.py' is not that of the file",
    ),
    (
        WHEEL,
        wheel(dist_info_files={"entry_points.txt": b"[console_scripts]\nrm -rf=demo:main\n"}),
        f"Wheel {WHEEL!r} has invalid entry points defined in the entry_points.txt file",
    ),
    (
        WHEEL,
        wheel(headers=[("License-File", "LICENSE")]),
        f"License-File LICENSE does not exist in distribution file {WHEEL} "
        "at demo-1.0.dist-info/licenses/LICENSE",
    ),
    (SDIST, b"", "Invalid distribution file. File is not a tarfile"),
    (SDIST, wheel(), "Invalid distribution file. File is not a tarfile"),
    (
        SDIST,
        sdist()[:-20],
        "Invalid distribution file. tar archive not accepted: Unexpected end of data",
    ),
    (SDIST, sdist(omit=["PKG-INFO"]), "Invalid distribution file. PKG-INFO not found at demo-1.0/PKG-INFO"),
    (
        SDIST,
        sdist(top="other-1.0"),
        "Invalid distribution file. Its top folder is 'other-1.0', should be 'demo-1.0'",
    ),
    (
        SDIST,
        sdist(more=[tar_member("demo-1.0/link", type=b"2", target="/etc/passwd")]),
        "Invalid distribution file. tar archive not accepted: "
        "Symbolic link 'demo-1.0/link' does not stay in its top folder",
    ),
    (
        SDIST,
        sdist(files={"zeros": bytes(65 << 20)}),
        "Invalid distribution file. File exceeds compression ratio of 50",
    ),
]


@pytest.mark.parametrize(("filename", "data", "sentence"), ARCHIVES, ids=range(len(ARCHIVES)))
async def test_archives(index: Index, filename: str, data: bytes, sentence: str) -> None:
    """An archive that is broken, hostile or not what its name says is refused."""
    await check_upload(index, 400, sentence, data, filename)


# Room


async def test_file_too_large(index: Index, name: str) -> None:
    """A file may have as many bytes as the limit says, and not one more."""
    filename = wheel_filename(name)
    sentence = "File too large. Limit for this index is 256KB."
    await check_upload(index, 413, sentence, sized_wheel(name, "1.0", MAX_FILE + 1), filename)
    assert (await index.upload(sized_wheel(name, "1.0", MAX_FILE), filename)).status == 200


async def test_file_too_large_by_its_own_word(index: Index) -> None:
    """A body that says it is larger than any form may be is refused before it is sent."""

    async def sending() -> Reply:
        headers = {
            "Authorization": index.auth(),
            "Accept": "application/json",
            "Content-Type": CONTENT_TYPE,
            "Content-Length": str(1 << 30),
        }
        return await index.ask("/legacy/", headers, method="POST")

    await check(index, sending, 413, "File too large. Limit for this index is 256KB.")


async def test_project_too_large(index: Index, name: str) -> None:
    """All files of a project together have a limit, too."""
    first, second = (sized_wheel(name, version, MAX_PROJECT // 2) for version in ("1", "2"))
    third = sized_wheel(name, "3", 5000)
    assert (await index.upload(first, wheel_filename(name, "1"))).status == 200
    assert (await index.upload(second, wheel_filename(name, "2"))).status == 200
    sentence = f"Project size too large. Limit for project {name!r} total size is 400KB."
    await check_upload(index, 400, sentence, third, wheel_filename(name, "3"))


def sized_wheel(name: str, version: str, size: int) -> bytes:
    """A wheel of exactly this many bytes."""

    def stored(members: list[ZipMember]) -> None:
        for member in members:
            member.method = STORED

    def padded(padding: int) -> bytes:
        noise = Random(f"{name} {version}").randbytes(padding)
        return wheel(name, version, files={"noise": noise}, alter=stored)

    data = padded(size - len(padded(size // 10 * 9)) + size // 10 * 9)
    assert len(data) == size
    return data


# What is there already


async def test_same_name_other_bytes(index: Index, name: str) -> None:
    """A filename stands for its bytes for ever."""
    first, other = wheel(name), wheel(name, files={"other.py": b""})
    filename = wheel_filename(name)
    assert (await index.upload(first, filename)).status == 200
    sentence = f"File already exists ({filename!r}, with blake2_256 hash {blake2_256(first)!r})."
    await check_upload(index, 400, sentence, other, filename)
    assert index.sql(f"SELECT sha256 FROM files WHERE filename = '{filename}'") == [(sha256(first),)]


async def test_same_bytes_other_name(index: Index, name: str) -> None:
    """Bytes that are published are not published again under another name."""
    data, filename = wheel(name), wheel_filename(name)
    assert (await index.upload(data, filename)).status == 200
    sentence = f"File already exists ({filename!r}, with blake2_256 hash {blake2_256(data)!r})."
    await check_upload(index, 400, sentence, data, wheel_filename(name, tag="py2-none-any"))


@pytest.mark.parametrize(
    ("version", "tag"),
    [("1.0.0", "py2.py3-none-any"), ("v1", "py2.py3-none-any"), ("1.0", "py3.py2-none-any")],
)
async def test_same_file_spelled_otherwise(index: Index, name: str, version: str, tag: str) -> None:
    """Two spellings of one filename, which installers take for the same file, do not stand side by side."""
    first, second = wheel_filename(name, tag="py2.py3-none-any"), wheel_filename(name, version, tag)
    assert (await index.upload(wheel(name, tag="py2.py3-none-any"), first)).status == 200
    sentence = f"File already exists: {second!r} is another spelling of {first!r}."
    await check_upload(index, 400, sentence, wheel(name, version, tag=tag), second)


@pytest.mark.parametrize("ending", ["-1.0.0.tar.gz", "-1.tar.gz"])
async def test_second_sdist(index: Index, name: str, ending: str) -> None:
    """A release has one source distribution."""
    assert (await index.upload(sdist(name), sdist_filename(name))).status == 200
    sentence = f"Only one sdist may be uploaded per release ('{name}-1.0.tar.gz' is there)."
    version = ending.removeprefix("-").removesuffix(".tar.gz")
    await check_upload(index, 400, sentence, sdist(name, version), name + ending)


async def test_name_of_a_deleted_file(index: Index, name: str) -> None:
    """A filename that was ever used is used up, also for the very same bytes, in every spelling."""
    data, filename = wheel(name), wheel_filename(name)
    assert (await index.upload(data, filename)).status == 200
    index.sql(f"DELETE FROM files WHERE filename = '{filename}'")
    sentence = (
        "This filename was previously used by a file that has since been deleted. "
        f"Use a different version. ({filename!r})"
    )
    await check_upload(index, 400, sentence, data, filename)
    await check_upload(index, 400, sentence, wheel(name, files={"other.py": b""}), filename)
    other = wheel_filename(name, "1.0.0")
    sentence = f"File already exists: {other!r} is another spelling of {filename!r}."
    await check_upload(index, 400, sentence, wheel(name, "1.0.0"), other)


async def test_name_of_a_deleted_project(index: Index, name: str) -> None:
    """The ledger of filenames outlives the project."""
    data, filename = wheel(name), wheel_filename(name)
    assert (await index.upload(data, filename)).status == 200
    index.sql(f"DELETE FROM projects WHERE normalized = '{name}'")
    sentence = (
        "This filename was previously used by a file that has since been deleted. "
        f"Use a different version. ({filename!r})"
    )
    await check_upload(index, 400, sentence, data, filename)


async def test_release_that_is_closed(index: Index, name: str) -> None:
    """A release takes files for some days; then it is complete, and only new releases are open."""
    assert (await index.upload(wheel(name), wheel_filename(name))).status == 200
    index.sql(
        "UPDATE releases SET created = created - interval '14 days 1 minute' "
        f"WHERE project_id = (SELECT id FROM projects WHERE normalized = '{name}')"
    )
    sentence = "Uploading new files to releases older than 14 days is not allowed."
    await check_upload(index, 400, sentence, sdist(name), sdist_filename(name))
    assert (await index.upload(wheel(name), wheel_filename(name))).status == 200  # a repetition
    assert (await index.upload(sdist(name, "1.1"), sdist_filename(name, "1.1"))).status == 200


@pytest.mark.parametrize("status", ["archived", "quarantined"])
async def test_project_that_is_closed(index: Index, name: str, status: str) -> None:
    """A project that was archived or quarantined takes no files."""
    assert (await index.upload(wheel(name), wheel_filename(name))).status == 200
    index.sql(f"UPDATE projects SET status = '{status}' WHERE normalized = '{name}'")
    sentence = f"The project {name!r} is {status} and takes no new files."
    await check_upload(index, 403, sentence, sdist(name), sdist_filename(name))


# Who is asking

REQUIRED = (
    "Authentication is required: use your user name and password, "
    "or __token__ as user name and an API token as password."
)
WRONG = "Invalid or non-existent authentication information."
CHALLENGE = 'Basic realm="pypi", charset="UTF-8"'


@pytest.mark.parametrize(
    ("auth", "sentence"),
    [
        (None, REQUIRED),
        ("", REQUIRED),
        ("Basic", REQUIRED),
        ("Basic !!!", REQUIRED),
        ("Basic YWRh", REQUIRED),
        ("Digest username=ada", REQUIRED),
        ("Bearer", WRONG),
        ("Bearer cheeseshop-0-0", WRONG),
        (with_token(f"cheeseshop-{'0' * 16}-{'0' * 64}"), WRONG),
        (with_token("pypi-AgEIcHlwaS5vcmc"), WRONG),
        (basic("ada", "wrong password"), WRONG),
        (basic("nobody", "wrong password"), WRONG),
        (basic("' OR ''='", "wrong password"), WRONG),
        (basic("nobody", "x" * 5000), WRONG),
    ],
)
async def test_nobody_known(index: Index, auth: str | None, sentence: str) -> None:
    """Who does not prove who they are is asked to, and learns no more than that."""
    reply = await check_upload(index, 401, sentence, wheel(), WHEEL, auth=auth or None)
    assert reply["WWW-Authenticate"] == CHALLENGE


@pytest.mark.parametrize("auth", [None, with_token("wrong")])
async def test_nobody_known_is_sent_no_continue(index: Index, auth: str | None) -> None:
    """Whoever asks before sending a body is refused before it, and never told to go on."""

    async def sending() -> Reply:
        headers = {
            "Authorization": auth,
            "Accept": "application/json",
            "Content-Type": CONTENT_TYPE,
            "Content-Length": "100000",
            "Expect": "100-continue",
        }
        return await index.ask("/legacy/", headers, method="POST")

    await check(index, sending, 401, REQUIRED if auth is None else WRONG)


async def test_wrong_secret(index: Index) -> None:
    """The public half of a token is good for nothing."""
    token = await index.application.accounts.add_token(OWNER)
    for wrong in (token[:-1] + ("0" if token[-1] != "0" else "1"), token[:-1], token + "0", token.upper()):
        await check_upload(index, 401, WRONG, wheel(), WHEEL, auth=with_token(wrong))


async def test_revoked_token(index: Index) -> None:
    """A token that was revoked is good for nothing."""
    token = await index.application.accounts.add_token(OWNER)
    index.sql(f"UPDATE tokens SET revoked = now() WHERE id = '{token.split('-')[1]}'")
    await check_upload(index, 401, WRONG, wheel(), WHEEL, auth=with_token(token))


async def test_expired_token(index: Index) -> None:
    """A token is good until the moment it expires."""
    token = await index.application.accounts.add_token(OWNER, lifetime=timedelta(0))
    await check_upload(index, 401, WRONG, wheel(), WHEEL, auth=with_token(token))


async def test_inactive_user(index: Index) -> None:
    """Neither password nor token of an account that was switched off lets anybody in."""
    await index.add_user("leaver", password="correct horse")
    index.sql("UPDATE users SET is_active = false WHERE name = 'leaver'")
    for auth in (basic("leaver", "correct horse"), index.auth("leaver")):
        await check_upload(index, 401, WRONG, wheel(), WHEEL, auth=auth)


async def test_token_of_another_project(index: Index, name: str) -> None:
    """A token for one project uploads to no other, whether that exists or not."""
    other = f"other.{name}"
    for mine in (name, other):
        assert (await index.upload(wheel(mine), wheel_filename(mine), name=mine)).status == 200
    token = with_token(await index.application.accounts.add_token(OWNER, project=name))
    for elsewhere in (other, f"new.{name}"):
        sentence = f"Invalid API Token: project-scoped token is not valid for project: {elsewhere!r}."
        data, filename = sdist(elsewhere), sdist_filename(elsewhere)
        await check_upload(index, 403, sentence, data, filename, auth=token, name=elsewhere)
    assert (await index.upload(sdist(name), sdist_filename(name), auth=token)).status == 200


async def test_no_role(index: Index, name: str) -> None:
    """Whoever has no role in a project uploads nothing to it, not even what is there."""
    await index.add_user(f"eve.{name}")
    assert (await index.upload(wheel(name), wheel_filename(name))).status == 200
    sentence = f"The user 'eve.{name}' isn't allowed to upload to project {name!r}."
    auth = index.auth(f"eve.{name}")
    await check_upload(index, 403, sentence, sdist(name), sdist_filename(name), auth=auth)
    await check_upload(index, 403, sentence, wheel(name), wheel_filename(name), auth=auth)


# The request itself


@pytest.mark.parametrize(
    ("action", "status", "sentence"),
    [
        (None, 405, "Uploads carry ':action' = 'file_upload', not ''."),
        ("delete_everything", 405, "Uploads carry ':action' = 'file_upload', not 'delete_everything'."),
        *(
            (
                action,
                410,
                "Project pre-registration is no longer required or supported, upload your files instead.",
            )
            for action in ("submit", "submit_pkg_info")
        ),
        ("doc_upload", 410, "Uploading documentation is no longer supported."),
    ],
)
async def test_actions(index: Index, action: str | None, status: int, sentence: str) -> None:
    """Of all that forms could ask for, only uploading a file is done."""
    await check_upload(index, status, sentence, wheel(), WHEEL, action=action)


def without_file(parts: Sequence[Part]) -> Sequence[Part]:
    return parts[:-1]


def with_text_for_a_file(parts: Sequence[Part]) -> Sequence[Part]:
    return [*parts[:-1], Part("content", b"text")]


def with_two_files(parts: Sequence[Part]) -> Sequence[Part]:
    return [*parts, parts[-1]]


def with_file_and_text(parts: Sequence[Part]) -> Sequence[Part]:
    return [*parts, Part("content", b"text")]


def with_a_file_for_a_text(parts: Sequence[Part]) -> Sequence[Part]:
    return [Part("summary", b"text", "summary.txt"), *parts]


def with_an_image(parts: Sequence[Part]) -> Sequence[Part]:
    return [*parts[:-1], Part("content", wheel(), WHEEL, "image/png")]


def with_text_that_is_not_utf8(parts: Sequence[Part]) -> Sequence[Part]:
    return [*parts, Part("comment", b"\xff")]


def with_too_many_fields(parts: Sequence[Part]) -> Sequence[Part]:
    return [*[Part("comment", b"")] * 1000, *parts]


@pytest.mark.parametrize(
    ("alter", "sentence"),
    [
        (without_file, "Upload payload does not have a file."),
        (with_text_for_a_file, "Upload payload does not have a file."),
        (with_two_files, "The form cannot be read: it has the same file field twice."),
        (with_file_and_text, "The form cannot be read: it has the same file field twice."),
        (with_a_file_for_a_text, "summary: Should not be a tuple."),
        (with_an_image, "Invalid distribution file."),
        (with_text_that_is_not_utf8, "The form cannot be read: its text is not UTF-8."),
        (with_too_many_fields, "The form cannot be read: it has too many fields."),
    ],
)
async def test_forms(index: Index, alter: Alter, sentence: str) -> None:
    """A form without one file of the right kind, or that cannot be understood, is refused."""

    async def sending() -> Reply:
        return await index.upload(wheel(), WHEEL, accept="application/json", alter=alter)

    await check(index, sending, 400, sentence)


NOT_A_FORM = "The body of this request must be multipart/form-data or application/x-www-form-urlencoded."
FORM = multipart(upload_parts(wheel(), WHEEL, {}))


@pytest.mark.parametrize(
    ("content_type", "body", "sentence"),
    [
        (None, FORM, NOT_A_FORM),
        ("application/json", b"{}", NOT_A_FORM),
        ("text/plain", FORM, NOT_A_FORM),
        ("multipart/mixed; boundary=x", FORM, NOT_A_FORM),
        (
            "multipart/form-data",
            FORM,
            "The form cannot be read: its Content-Type has no valid boundary.",
        ),
        (CONTENT_TYPE, b"", "The form cannot be read: it ends before its closing boundary."),
        (CONTENT_TYPE, FORM[:-10], "The form cannot be read: it ends before its closing boundary."),
        (
            CONTENT_TYPE,
            b"x" * 5000 + FORM,
            "The form cannot be read: too much stands before its first boundary.",
        ),
        (
            CONTENT_TYPE,
            FORM + b"x" * 5000,
            "The form cannot be read: too much stands after its last boundary.",
        ),
        (
            "application/x-www-form-urlencoded",
            b"%3Aaction=file_upload&name=demo&content=x",
            "Upload payload does not have a file.",
        ),
    ],
)
async def test_bodies(index: Index, content_type: str | None, body: bytes, sentence: str) -> None:
    """A body that is no form, or only the beginning of one, is refused."""

    async def sending() -> Reply:
        headers = {"Authorization": index.auth(), "Content-Type": content_type}
        accepting = {**headers, "Accept": "application/json"}
        return await index.ask("/legacy/", accepting, method="POST", body=body)

    await check(index, sending, 400, sentence)


# How it is said


async def test_formats_of_a_refusal(index: Index) -> None:
    """The sentence comes in the format the client reads: uv's JSON, text for twine and others."""
    said = 'Start filename for "<b>" ünd ж'
    sentence = f"'{said}' is an invalid value for Name. Error: {NAME_GRAMMAR} {CORE_METADATA}"

    async def upload(accept: str | None) -> Reply:
        reply = await index.upload(wheel(), WHEEL, accept=accept, name=said)
        assert reply.status == 400
        assert reply.reason == sentence.replace("ж", "?")
        assert reply["X-Content-Type-Options"] == "nosniff"
        assert reply["Cache-Control"] == "private, no-store"
        return reply

    uv = await upload("application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7")
    assert uv["Content-Type"] == "application/json"
    assert uv.json() == {"message": sentence, "code": f"400 {sentence}", "title": "Bad Request"}
    for accept in ("*/*", "text/html,application/xhtml+xml;q=0.9", None, "text/plain", "image/png"):
        plain = await upload(accept)
        assert plain["Content-Type"] == "text/plain; charset=utf-8"
        assert plain.text == f"400 Bad Request\n\n{sentence}\n"


async def test_reason_phrase_is_one_line(index: Index) -> None:
    """Nothing a client sends ends the status line early."""
    split = "Upload\r\nSet-Cookie: a=b"
    reply = await index.upload(wheel(), WHEEL, action=split)
    assert reply.status == 405
    assert "set-cookie" not in reply.headers
    assert reply.reason == f"Uploads carry ':action' = 'file_upload', not {split!r}."


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def blake2_256(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=32).hexdigest()
