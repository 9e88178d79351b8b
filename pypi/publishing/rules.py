"""The rules of this index that the operator sets, and the vocabulary they refer to."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from attrs import field, frozen

from pypi.accounts import addresses
from pypi.domain import metadata
from pypi.domain.errors import Refusal
from pypi.domain.metadata import Metadata
from pypi.domain.names import NormalizedName, standard_library_names
from pypi.domain.permissions import Access


@frozen
class Classifiers:
    """The trove classifiers, and all ``Private :: …``.

    Those keep a project off the public index, which knows none of them; here such projects are at home.
    """

    known: frozenset[str]

    def __contains__(self, classifier: object) -> bool:
        return classifier in self.known or str(classifier).startswith("Private :: ")


@frozen(kw_only=True)
class Rules:
    """What publishers may send.

    Attributes:
        max_file_size: bytes of one file.
        max_project_size: bytes of all files of a project.
        zip_sdists: whether source distributions may be zip archives.
        release_days: days a release takes files; 0 for ever.
        reserved: normalized names nobody may take, besides the standard library's.
        classifiers: the known trove classifiers.
        deprecated: classifier → the ones to use instead.
        access: who reads a project that is begun.
    """

    max_file_size: int = 100 << 20
    max_project_size: int = 10 << 30
    zip_sdists: bool = False
    release_days: int = 14
    reserved: frozenset[NormalizedName] = frozenset()
    classifiers: Container[str] = frozenset()
    deprecated: Mapping[str, Sequence[str]] = field(factory=dict)
    access: Access = Access.PUBLIC
    standard_library: frozenset[NormalizedName] = field(factory=standard_library_names, repr=False)

    def refusals(self, found: Metadata) -> Iterator[Refusal]:
        """What is wrong with core metadata by the current standard and the classifiers known here."""
        yield from metadata.refusals(
            found, classifiers=self.classifiers, deprecated=self.deprecated, is_email=addresses.why_not
        )
