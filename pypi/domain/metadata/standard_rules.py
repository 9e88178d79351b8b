"""The rules every index and installer shares: those of the core metadata specification."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath

from packaging.utils import InvalidName, canonicalize_name

from pypi.domain import names
from pypi.domain.errors import InvalidField
from pypi.domain.metadata import reading
from pypi.domain.metadata.model import FIELDS, OF_SEVERAL_LINES, VERSIONS, Field, Metadata
from pypi.domain.metadata.sentences import invalid, quoted

CONTENT_TYPES = ("text/markdown", "text/plain", "text/x-rst")
MARKDOWN_VARIANTS = ("CommonMark", "GFM")

Texts = tuple[str, ...]
Rule = Callable[[Texts], Iterator[str]]
"""From the values of a field to one sentence for each that breaks the field's rule."""

_LINE_END = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
_PARAMETER = re.compile(r"""([!#$%&'*+.^_`|~\w-]+)\s*=\s*(?:"([^"]*)"|([^\s"]+))""", re.ASCII)
_HEADERS = frozenset(field.header for field in FIELDS.values())
_NEVER_DYNAMIC = frozenset({"name", "version", "metadata-version"})


def refusals(metadata: Metadata) -> Iterator[InvalidField]:
    """What breaks the standard, in no particular order; of a field too new only that."""
    for field in FIELDS.values():
        texts = metadata.texts(field.name)
        sentences = [*_too_new(field, texts, metadata.metadata_version)]
        if not sentences:
            sentences = [*_RULES.get(field.name, _control_characters_of(field))(texts)]
        yield from (invalid(field.name, sentence) for sentence in sentences)


def _too_new(field: Field, texts: Texts, version: str | None) -> Iterator[str]:
    if texts and version in VERSIONS and VERSIONS.index(version) < VERSIONS.index(field.since):
        yield f"{field.header} introduced in metadata version {field.since}, not {version}"


def _control_characters_of(field: Field) -> Rule:
    def rule(texts: Texts) -> Iterator[str]:
        if field.name not in OF_SEVERAL_LINES and any(_CONTROL.search(text) for text in texts):
            yield f"{field.header!r} must not contain control characters"

    return rule


def _metadata_version(texts: Texts) -> Iterator[str]:
    version = texts[0] if texts else None
    if version not in VERSIONS:
        yield f"{quoted(version)} is not a valid metadata version"


def _name(texts: Texts) -> Iterator[str]:
    if not texts:
        yield "'name' is a required field"
    yield from (f"{quoted(text)} is invalid for 'name'" for text in texts if not names.is_valid(text))


def _version(texts: Texts) -> Iterator[str]:
    if not texts:
        yield "'version' is a required field"
    yield from (f"{quoted(text)} is invalid for 'version'" for text in texts if not reading.version(text))


def _summary(texts: Texts) -> Iterator[str]:
    if any(_LINE_END.search(text) for text in texts):
        yield "'summary' must be a single line"
    else:
        yield from _control_characters_of(FIELDS["summary"])(texts)


def _description_content_type(texts: Texts) -> Iterator[str]:
    for text in texts:
        written, *rest = (part.strip() for part in text.removesuffix(";").split(";"))
        parameters = [_PARAMETER.fullmatch(part) for part in rest]
        if written.lower() not in CONTENT_TYPES:
            yield f"'description-content-type' must be one of {[*CONTENT_TYPES]}, not {quoted(text)}"
        elif None in parameters:
            yield f"{quoted(text)} is not a valid content type for 'description-content-type'"
        else:
            yield from _content_type_parameters(
                written.lower(), {match[1].lower(): match[2] or match[3] for match in parameters if match}
            )


def _content_type_parameters(content_type: str, parameters: Mapping[str, str]) -> Iterator[str]:
    charset = parameters.get("charset", "UTF-8")
    variant = parameters.get("variant", "GFM")
    if charset.lower() != "utf-8":
        yield f"'description-content-type' can only specify the UTF-8 charset, not {quoted(charset)}"
    if content_type == "text/markdown" and variant not in MARKDOWN_VARIANTS:
        yield (
            f"valid Markdown variants for 'description-content-type' are {[*MARKDOWN_VARIANTS]}, "
            f"not {quoted(variant)}"
        )


def _requires_python(texts: Texts) -> Iterator[str]:
    for text in texts:
        if reading.specifiers(text) is None:
            yield f"{quoted(text)} is invalid for 'requires-python'"


def _requires_dist(texts: Texts) -> Iterator[str]:
    for text in texts:
        try:
            reading.requirement(text)
        except reading.Unreadable:
            yield f"{quoted(text)} is invalid for 'requires-dist'"


def _provides_extra(texts: Texts) -> Iterator[str]:
    for text in texts:
        try:
            canonicalize_name(text, validate=True)
        except InvalidName:
            yield f"{quoted(text)} is invalid for 'provides-extra'"


def _license_expression(texts: Texts) -> Iterator[str]:
    for text in texts:
        if reading.license_expression(text) is None:
            yield f"{quoted(text)} is invalid for 'license-expression'"


def _license_file(texts: Texts) -> Iterator[str]:
    for text in texts:
        if why := _why_no_license_path(text):
            yield f"{quoted(text)} is invalid for 'license-file', {why}"


def _why_no_license_path(path: str) -> str | None:
    if ".." in path:
        return "parent directory indicators are not allowed"
    if "*" in path:
        return "paths must be resolved"
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute():
        return "paths must be relative"
    if PureWindowsPath(path).as_posix() != path:
        return "paths must use '/' delimiter"
    return "control characters are not allowed" if _CONTROL.search(path) else None


def _importable(header: str) -> Rule:
    def rule(texts: Texts) -> Iterator[str]:
        for text in texts:
            if why := _why_not_importable(text):
                yield why

    def _why_not_importable(text: str) -> str | None:
        dotted, semicolon, option = text.partition(";")
        dotted = dotted.rstrip()
        for part in dotted.split("."):
            if not part.isidentifier():
                return f"{quoted(dotted)} is invalid for {header!r}; {quoted(part)} is not a valid identifier"
            if keyword.iskeyword(part):
                return f"{quoted(dotted)} is invalid for {header!r}; {quoted(part)} is a keyword"
        if semicolon and option.lstrip() != "private":
            return f"{quoted(text)} is invalid for {header!r}; the only valid option is 'private'"
        return None

    return rule


def _import_name(texts: Texts) -> Iterator[str]:
    # One empty value is the standard's way to say: nothing to import.
    return _importable("import-name")(() if texts == ("",) else texts)


def _dynamic(texts: Texts) -> Iterator[str]:
    for text in map(str.lower, texts):
        if text in _NEVER_DYNAMIC:
            yield f"{text!r} is not allowed as a dynamic field"
        elif text not in _HEADERS:
            yield f"{quoted(text)} is not a valid dynamic field"


_RULES: Mapping[str, Rule] = {
    "metadata_version": _metadata_version,
    "name": _name,
    "version": _version,
    "summary": _summary,
    "description_content_type": _description_content_type,
    "requires_python": _requires_python,
    "requires_dist": _requires_dist,
    "provides_extra": _provides_extra,
    "license_expression": _license_expression,
    "license_file": _license_file,
    "import_name": _import_name,
    "import_namespace": _importable("import-namespace"),
    "dynamic": _dynamic,
}
