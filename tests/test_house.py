"""The plan of the house, read from the docstring of ``pypi`` and compared with what the code does.

A line of the plan imports only from the lines below it. What does otherwise, for a reason, is listed here
with the reason; a reason that is no longer needed has to go.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from attrs import frozen

import pypi

ROOT = Path(pypi.__file__).parents[1]
OURS = ("pypi", "caching", "legacy_compat", "templates", "twisted/plugins")

SIDEWAYS = {
    ("pypi.app", "pypi.front"): "composing the application ends with the rooms it shows",
    ("pypi.rooms", "pypi.acts"): "people do to projects what can be done to them",
    ("pypi.cli", "pypi.app"): "a command works on the application the service runs",
    ("pypi.cli", "pypi.front"): "the table of routes is printed",
    ("pypi.cli", "pypi.process"): "`cheeseshop serve` and `workers` start processes and look at them",
    ("pypi.cli", "pypi.service"): "`cheeseshop serve` runs the service without twistd",
    ("pypi.service", "pypi.process"): "the service is one process, or a supervisor's",
    ("pypi.publishing", "pypi.accounts"): "what is done to projects is written into the security log",
}
"""Imports within a line of the plan, or upwards, that are meant."""

ROOMS = ("pypi.web", "legacy_compat")
NOT_FOR_ROOMS = {"pypi.db", "pypi.embedded", "pypi.config", "pypi.failpoints"}

FOR_ALL_ROOMS = {
    "pypi.web.templates": "every page is made by them, and is kept alike",
    "pypi.web.assets": "pages name static files, and one room serves them",
    "pypi.web.door": "who asks is found out in one place, before any room answers",
    "pypi.web.personal": "pages for one person are made by it, and are kept by nobody",
}
"""What no room is, among them."""

HTTP_KNOWS = {
    "pypi.domain.errors": "refusals become statuses",
    "pypi.domain.clients": "requests are counted by who made them",
    "pypi.domain.features": "requests use features",
    "pypi.domain.names": "a request is about a project, in whatever spelling",
    "pypi.domain.permissions": "credentials are read from headers",
    "pypi.domain.switches": "features are off, or announced to go",
    "caching.blocks": "bodies that are kept in blocks are sent",
    "caching.compression": "bodies are compressed",
    "caching.memory": "the lane's lines are of pages in memory",
    "caching.policy": "policies become headers",
    "caching.conditional": "validators are compared",
    "caching.figures": "requests are counted",
    "caching.kept": "kept answers become responses",
    "caching.kept_files": "the lane may hand out what was sent whole",
    "caching.lane": "the strict reader says what a block of headers means",
    "caching.layered": "routes that are kept ask the ladder first",
    "caching.limiter": "limits become headers",
    "caching.stats": "routes are counted",
    "caching.store": "answers become entries",
    "caching.transport": "files go to the client by the kernel",
}
"""All that the manners of HTTP know of what is below them."""

PURE = {
    *("attrs", "packaging"),
    *(
        "__future__",
        "collections",
        "datetime",
        "enum",
        "functools",
        "keyword",
        "pathlib",
        "re",
        "sys",
        "typing",
    ),
}
"""What the domain is made of: nothing that reads a clock, a disk, a network or a die."""

ONLY_HERE = {
    "psycopg2": {
        "pypi.db": "the database layer",
        "pypi.embedded.postgres": "a server is asked whether it is up before there is a pool",
    },
    "txpostgres": {"pypi.db": "the database layer"},
    "sqlalchemy": {"pypi.db.migrations": "Alembic's"},
    "alembic": {"pypi.db.migrations": "the schema's steps"},
    "boto3": {"pypi.files": "the bucket"},
    "botocore": {"pypi.files": "the bucket"},
    "txredisapi": {
        "caching.redis": "the one place that wraps it",
        "caching.redis_pool": "its connections, which it gives up too early",
    },
    "klein": {
        "pypi.http.answering": "routes are a layer over it",
        "pypi.front": "the type of what it returns",
        "pypi.app": "the type of what it holds",
    },
    "werkzeug": {"pypi.http.answering": "Klein's routing"},
    "argon2": {"pypi.accounts.passwords": "passwords"},
    "click": {"pypi.cli": "the command line"},
    "jinja2": {"pypi.web.templates": "pages", "pypi.mail.messages": "letters"},
    "prometheus_client": {"pypi.metrics": "figures as text"},
}
"""Libraries that one place wraps for all."""


@frozen
class Import:
    """One import: ``source`` names a module of ours, ``target`` what it takes in, as far as that is known."""

    source: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"

    def is_from(self, package: str) -> bool:
        return within(self.source, package)

    def is_of(self, package: str) -> bool:
        return within(self.target, package)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of ours by its dotted name."""
    found = {}
    for folder in OURS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


@cache
def imports() -> tuple[Import, ...]:
    """Every import in every module, also those within functions."""
    return tuple(one for name, tree in modules().items() for one in _imports_of(name, tree))


def _imports_of(name: str, tree: ast.Module) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno} imports relatively"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield Import(name, inner if inner in modules() else node.module, node.lineno)


@cache
def plan() -> tuple[tuple[str, ...], ...]:
    """The lines of the plan, outermost first, each the packages and modules that stand on it."""
    assert pypi.__doc__ is not None
    diagram = pypi.__doc__.partition("::\n")[2].partition("\nRooms::")[0]
    lines = []
    for line in diagram.splitlines():
        words = re.split(r"\s{3,}", line.strip())
        names = [word for word in "  ".join(words[:-1]).split() if word != ">"]
        if names:
            lines.append(tuple(_full_names(names)))
    return tuple(lines)


def _full_names(names: Iterable[str]) -> Iterator[str]:
    prefix = ""
    for name in names:
        bare = name.removesuffix(".*").replace("/", ".")
        if bare.startswith("pypi."):
            prefix = "pypi."
            yield bare
        elif f"{prefix}{bare}" in modules():
            yield f"{prefix}{bare}"
        else:
            yield bare


def place(module: str) -> tuple[int, str]:
    """The line of the plan a module stands on, and under which name."""
    for number, names in enumerate(plan()):
        for name in names:
            if within(module, name):
                return number, name
    raise LookupError(f"{module} stands on no line of the plan")


# The plan


def test_the_plan_is_read() -> None:
    """The plan can be read, from start and stop down to what knows nothing of us."""
    assert plan()[0] == ("twisted.plugins", "pypi.service", "pypi.process")
    assert ("pypi.web", "legacy_compat") in plan()
    assert ("pypi.domain",) in plan()
    assert ("caching",) in plan()
    for name in (name for names in plan() for name in names if name != "twisted.plugins"):
        assert name in modules(), f"the plan speaks of {name}, which is not there"


def test_everything_has_a_place() -> None:
    """Every module stands on a line of the plan."""
    outside = {"pypi", "pypi.__main__", "templates"}
    for module in modules().keys() - outside:
        place(module)


def test_every_arrow_points_down() -> None:
    """A module imports from its own package and from the lines below it, and from nowhere else of ours."""
    wrong, used = [], set()
    for one in imports():
        if not one.target.startswith(("pypi.", "caching", "legacy_compat")) or one.source == "pypi.__main__":
            continue
        (here, ours), (there, theirs) = place(one.source), place(one.target)
        if here < there or ours == theirs:
            continue
        if (ours, theirs) in SIDEWAYS:
            used.add((ours, theirs))
        else:
            wrong.append(str(one))
    assert wrong == []
    assert used == set(SIDEWAYS), "an exception is no longer needed"


def test_rooms_keep_apart() -> None:
    """A room imports no other room, and nothing of the database; ``simple_json`` is part of ``simple``."""
    wrong = []
    for one in imports():
        if not any(one.is_from(package) for package in ROOMS):
            continue
        if any(one.is_of(shared) for shared in FOR_ALL_ROOMS):
            continue
        if any(one.is_of(package) for package in NOT_FOR_ROOMS):
            wrong.append(str(one))
        for package in ROOMS:
            if one.is_of(f"{package}") and _room(one.source) != _room(one.target):
                wrong.append(str(one))
    assert wrong == []


def _room(module: str) -> str:
    """``pypi.web.simple`` for ``simple_html``, ``pypi.web.pages`` for all in it; of the old world, two."""
    if within(module, "legacy_compat"):
        return "legacy_compat.xmlrpc" if within(module, "legacy_compat.xmlrpc") else "legacy_compat"
    return re.sub(r"^(pypi\.web\.[a-z]+)[._].*$", r"\1", module)


def test_only_those_who_assemble_see_the_old_world() -> None:
    """Nobody but those who put the service together knows of ``legacy_compat``."""
    assembling = {"pypi.old_world", "pypi.front", "pypi.cli", "pypi.service"}
    seen_by = {one.source for one in imports() if one.is_of("legacy_compat")}
    assert {source for source in seen_by if not within(source, "legacy_compat")} <= assembling


def test_what_http_knows() -> None:
    """Of all below it, HTTP knows these few modules."""
    known = {
        one.target
        for one in imports()
        if one.is_from("pypi.http")
        and one.target.startswith(("pypi.", "caching", "legacy_compat"))
        and not one.is_of("pypi.http")
    }
    assert known == set(HTTP_KNOWS)


def test_caching_is_generic() -> None:
    """The caching layer knows nothing of an index."""
    wrong = [
        one for one in imports() if one.is_from("caching") and one.target.startswith(("pypi", "legacy_"))
    ]
    assert wrong == []


def test_the_domain_is_pure() -> None:
    """The domain is made of values and functions: no I/O, no clock, no randomness, no framework."""
    wrong = [
        str(one)
        for one in imports()
        if one.is_from("pypi.domain")
        and not one.is_of("pypi.domain")
        and one.target.partition(".")[0] not in PURE
    ]
    assert wrong == []
    impure = {"open", "print", "input", "now", "utcnow", "today", "urlopen", "read_text", "write_text"}
    calls = [
        f"{name}:{node.lineno} calls {_called(node)}"
        for name, tree in modules().items()
        if within(name, "pypi.domain")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _called(node) in impure
    ]
    assert calls == []


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


@pytest.mark.parametrize("library", ONLY_HERE)
def test_libraries_that_are_wrapped(library: str) -> None:
    """A library that one place wraps is used there and nowhere else."""
    users = {one.source for one in imports() if one.is_of(library)}
    places = ONLY_HERE[library]
    assert [user for user in users if not any(within(user, here) for here in places)] == []
    assert users, f"{library} is not used at all"
    for here in places:
        assert any(within(user, here) for user in users), f"{here} uses {library} no longer"


def test_the_reactor_is_an_argument() -> None:
    """Nothing takes the running reactor when it is imported; only what starts the process takes it at all."""
    users = {one.source for one in imports() if one.target == "twisted.internet.reactor"} | {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "twisted.internet"
        and any(alias.name == "reactor" for alias in node.names)
    }
    starting = {"pypi.service", "pypi.cli.serve", "pypi.process.worker", "pypi.process.ground"}
    assert users == starting
    at_import = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and any(alias.name == "reactor" for alias in node.names)
    ]
    assert at_import == []


# The style

SQL = re.compile(
    r"\s*(?:SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s|"
    r"(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX|UNIQUE|DATABASE|ROLE)\s|TRUNCATE\s|LISTEN\s|NOTIFY\s)"
)

SQL_ELSEWHERE = {
    "pypi.db.migrations": "the schema itself",
    "pypi.embedded.postgres": "makes its database before there is a catalogue",
}


def test_sql_is_collected() -> None:
    """Queries stand in ``pypi.db.queries``, nowhere else."""
    found = {
        (name, text.value.strip().splitlines()[0])
        for name, tree in modules().items()
        for text in _texts(tree)
        if SQL.match(text.value)
    }
    outside = {
        (name, text)
        for name, text in found
        if not within(name, "pypi.db.queries") and not any(within(name, there) for there in SQL_ELSEWHERE)
    }
    assert outside == set()
    assert len({name for name, _ in found if within(name, "pypi.db.queries")}) >= 8


def test_sql_is_not_formatted() -> None:
    """No query is put together from values: parameters are the driver's business."""
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        if within(name, "pypi.db.queries")
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and _called(node) == "format")
    ]
    assert wrong == []


def _texts(tree: ast.Module) -> Iterator[ast.Constant]:
    """String constants that are no docstrings, and the first pieces of f-strings."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node


def test_everything_public_is_documented() -> None:
    """Every module, public class, function and method says what it is for; camelCase is the framework's."""
    undocumented = {
        f"{name}.{where}" for name, tree in modules().items() for where in _undocumented(name, tree)
    }
    assert undocumented == set(SELF_EVIDENT)


SELF_EVIDENT = {
    **{
        f"pypi.config.values.{reader}": "a reader, named for what it reads; one sentence speaks for all"
        for reader in "text number decimal size choice switch texts networks table folder url".split()
    },
    "pypi.files.slices.FileSlice.readinto": "what the standard library's io asks of a raw file",
    "pypi.embedded.identity.Identity.account": "the arguments its type is named for",
    "pypi.embedded.locks.Share.held": "whether the lock is",
    "pypi.embedded.locks.Share.release": "the opposite of take",
}
"""Public names without a docstring, and why they need none."""


def _undocumented(name: str, tree: ast.Module) -> Iterator[str]:
    if tree.body and ast.get_docstring(tree) is None:
        yield "the module"
    for node in _public(tree.body):
        if ast.get_docstring(node) is None:
            yield node.name
        if isinstance(node, ast.ClassDef):
            for inner in _public(node.body):
                if not _is_documented(name, node, inner):
                    yield f"{node.name}.{inner.name}"


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _public(body: Iterable[ast.stmt]) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node


def _is_documented(module: str, owner: ast.ClassDef, method: Definition) -> bool:
    if ast.get_docstring(method) is not None or re.fullmatch(r"[a-z]+(?:[A-Z][a-z]*)+", method.name):
        return True
    cls = getattr(import_module(module), owner.name)
    bases = cls.__mro__[1:]
    return any(
        inspect.getdoc(getattr(base, method.name, None)) for base in bases if method.name in vars(base)
    )


def test_docstrings_are_sentences() -> None:
    """The first paragraph of every docstring is one, ended as a sentence is."""
    wrong = [
        f"{name}: {first}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, Definition | ast.Module) and (text := ast.get_docstring(node))
        if not re.search(r"[.?:…]$", first := text.partition("\n\n")[0].strip())
    ]
    assert wrong == []


def test_no_inline_callbacks() -> None:
    """Coroutines everywhere: no generator plays one."""
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
        and getattr(node, "id", getattr(node, "attr", "")) in ("inlineCallbacks", "returnValue")
    ]
    assert wrong == []


SCRIPTS = {
    "pypi.db.migrations.versions": "steps, each run once",
    "pypi.embedded.namespace": "run by itself, before anything else is imported",
}


def test_annotations_are_postponed() -> None:
    """Every module with code says ``from __future__ import annotations``."""
    without = [
        name
        for name, tree in modules().items()
        if any(isinstance(node, Definition) for node in tree.body)
        and not any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
        and not any(within(name, script) for script in SCRIPTS)
    ]
    assert without == []
