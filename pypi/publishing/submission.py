"""A submission: what the upload form says, checked as far as the form alone can tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from attrs import frozen

from pypi.domain import names, versions
from pypi.domain.errors import Invalid, InvalidField
from pypi.domain.filenames import DistributionFilename, FileType
from pypi.domain.filenames import parse as parse_filename
from pypi.domain.metadata import Metadata, from_form
from pypi.domain.names import NormalizedName
from pypi.domain.platform_tags import is_allowed
from pypi.files.spool import Spooled

SPECIFICATION = "See https://packaging.python.org/specifications/core-metadata for more information."

DIGESTS = {
    "md5_digest": ("md5", 32, "MD5"),
    "sha256_digest": ("sha256", 64, "SHA256"),
    "blake2_256_digest": ("blake2_256", 64, "BLAKE2"),
}
"""Field → (attribute of the spooled file, hexadecimal digits, what it is called)."""

_ENDINGS = (".whl", ".zip", ".tar.gz")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@frozen
class UnusableFile(Invalid):
    """The uploaded part is not a file that could be published; ``sentence`` says why."""

    sentence: str

    def __str__(self) -> str:
        return self.sentence


@frozen(kw_only=True)
class Submission:
    """One upload, its form understood and its file on the disk, unopened.

    Attributes:
        name: of the project, as the uploader spells it.
        version: as the uploader spells it.
        file: the filename, taken apart; its name and version agree with the two above.
        python_version: ``source``, or what kind of Python a wheel is for.
        metadata: as the form has it; the file's own is the truth.
        spooled: the bytes, their size and digests.
    """

    name: str
    version: str
    file: DistributionFilename
    python_version: str
    comment: str
    metadata: Metadata
    spooled: Spooled

    @property
    def project(self) -> NormalizedName:
        """The normalized project name."""
        return names.normalize(self.name)


def parse(fields: Mapping[str, Sequence[str]], filename: str, spooled: Spooled) -> Submission:
    """Understand an upload form.

    What it says of the release is only compared with the file, which is held to the standard: forms of
    ``setup.py upload`` announce metadata 1.0 and use what came later.

    Args:
        fields: text fields of the form, all values of each.
        filename: of the ``content`` part.

    Raises:
        Invalid: the first thing that is wrong, in the order of the public index: the form's own fields,
            then the filename, then the digests.

    Source: the upload API as the public index has it; see ``docs/ARCHITECTURE.md``.
    """
    form = Form(fields)
    if form.one("protocol_version") not in ("", "1"):
        raise InvalidField("protocol_version", "Unknown protocol version.")
    name = _name(form)
    filetype = _filetype(form)
    python_version = _python_version(form, filetype)
    version = _version(form)
    metadata = from_form(fields)
    file = usable_file(filename)
    _agrees(file, name, version, filetype)
    _check_digests(form, spooled)
    return Submission(
        name=name,
        version=version,
        file=file,
        python_version=python_version or file.python_tag,
        comment=form.one("comment"),
        metadata=metadata,
        spooled=spooled,
    )


@frozen
class Form:
    """Reads single values; a field sent as ``UNKNOWN`` is one not sent (distutils did so)."""

    fields: Mapping[str, Sequence[str]]

    def one(self, field: str) -> str:
        """The field's value, ``""`` where it is absent; of several, the first."""
        values = [value for value in self.fields.get(field, ()) if value.strip() != "UNKNOWN"]
        return values[0].replace("\0", "\\x00").strip() if values else ""


def _name(form: Form) -> str:
    return checked_name(form.one("name"))


def checked_name(name: str) -> str:
    """The name, if a project may have it.

    Raises:
        InvalidField: it may not.
    """
    if not names.is_valid(name):
        why = (
            "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
            if name
            else "This field is required."
        )
        raise InvalidField(
            "name", f"{_short(name)!r} is an invalid value for Name. Error: {why} {SPECIFICATION}"
        )
    return name


def _version(form: Form) -> str:
    version = form.one("version")
    if versions.parse(version) is None:
        why = (
            f"{_short(version)!r} is invalid for 'version'." if version else "'version' is a required field."
        )
        raise InvalidField("version", f"{why} {SPECIFICATION}")
    return version


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:30]}...{text[-30:]}"


def _filetype(form: Form) -> FileType:
    word = form.one("filetype")
    if not word:
        raise InvalidField("filetype", "Invalid value for filetype. Error: This field is required.")
    try:
        return FileType(word)
    except ValueError:
        raise InvalidField("filetype", "Invalid value for filetype. Error: Use a known file type.") from None


def _python_version(form: Form, filetype: FileType) -> str:
    word = form.one("pyversion")
    if filetype is FileType.WHEEL and not word:
        raise InvalidField(
            "pyversion",
            "Invalid value for pyversion. Error: Python version is required for binary distribution uploads.",
        )
    if filetype is FileType.SDIST and word not in ("", "source"):
        raise InvalidField(
            "pyversion", "Invalid value for pyversion. Error: Use 'source' as Python version for an sdist."
        )
    return word


def usable_file(filename: str) -> DistributionFilename:
    """The filename taken apart.

    Raises:
        UnusableFile: no file of that name is published here.
    """
    if _CONTROL.search(filename):
        raise UnusableFile(
            "Cannot upload a file with non-printable characters (ordinals 0-31) or the DEL character "
            "(ordinal 127) in the name."
        )
    if "/" in filename or "\\" in filename:
        raise UnusableFile("Cannot upload a file with '/' or '\\' in the name.")
    try:
        file = parse_filename(filename)
    except ValueError as error:
        raise UnusableFile(str(error)) from None
    for tag in sorted({tag.platform for tag in file.tags}):
        if not is_allowed(tag):
            raise UnusableFile(f"Binary wheel {filename!r} has an unsupported platform tag {tag!r}.")
    return file


def _agrees(file: DistributionFilename, name: str, version: str, filetype: FileType) -> None:
    if file.filetype is not filetype:
        extension = next(ending for ending in _ENDINGS if file.filename.endswith(ending))
        raise UnusableFile(
            f"Invalid file extension: Extension {extension} is invalid for filetype {filetype.value}."
        )
    wanted = names.normalize(name)
    if file.name != wanted:
        raise UnusableFile(f"Start filename for {name!r} with {wanted.replace('-', '_')!r}.")
    if file.version != versions.parse(version):
        raise UnusableFile(f"Version in filename should be {version!r} not {file.version_part!r}.")


def _check_digests(form: Form, spooled: Spooled) -> None:
    sent = {field: form.one(field).lower() for field in DIGESTS if form.one(field)}
    if not sent:
        raise InvalidField("md5_digest", "Error: Include at least one message digest.")
    for field, value in sent.items():
        attribute, digits, called = DIGESTS[field]
        if field != "md5_digest" and not re.fullmatch(rf"[0-9a-f]{{{digits}}}", value):
            raise InvalidField(
                field,
                f"Invalid value for {field}. Error: Use a valid, hex-encoded, {called} message digest.",
            )
        if value != getattr(spooled, attribute):
            raise InvalidField(
                field, "The digest supplied does not match a digest calculated from the uploaded file."
            )
