"""What projects are called now that are asked for by names they had."""

from __future__ import annotations

from pypi.db.database import Database
from pypi.db.queries import renaming
from pypi.domain.errors import NoSuchProject, ProjectMoved
from pypi.domain.names import NormalizedName


async def nothing_under(database: Database, name: NormalizedName) -> NoSuchProject:
    """Why there is nothing under a name, to be raised: nobody has it, or its project is called otherwise now.

    Answers made of it belong to the tag of the name.
    """
    now = await database.ask(renaming.present_name, name)
    return NoSuchProject(name) if now is None else ProjectMoved(name, now)
