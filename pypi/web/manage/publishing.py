"""``/manage/<name>/publishing/``: the exact lines that publish a project here."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol
from urllib.parse import urlencode

from attrs import frozen

from pypi.domain.permissions import Permission
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.index.managed import Managing
from pypi.web.manage.desk import SEEING, Desk, permit
from pypi.web.personal import PERSONAL


class Here(Protocol):
    """This index, as clients have to be told of it."""

    @property
    def called(self) -> str:
        """What configuration files may call it."""

    @property
    def upload(self) -> str:
        """Where publishers send files."""

    @property
    def variable(self) -> str:
        """How names of environment variables begin that are about it."""


@frozen(kw_only=True, eq=False)
class ManagedPublishing:
    """Tells those who may publish how that is done."""

    router: ClassVar[Router] = Router()
    managing: Managing
    index: Here
    desk: Desk

    @router.get("/manage/<name>/publishing/", policy=PERSONAL, terms=SEEING)
    async def publishing(self, request: Any, name: str) -> Answer:
        """Where tokens are, and how tools are told of them."""
        held = await self.managing.project(request.identity, name)
        permit(request, held, Permission.UPLOAD)
        tokens = f"/account/tokens/new/?{urlencode({'project': held.normalized})}"
        return self.desk.page(request, "publishing", held, "publishing", index=self.index, tokens=tokens)
