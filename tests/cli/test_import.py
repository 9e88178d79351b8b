"""``cheeseshop import``."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from signal import SIGKILL

import pytest

from tests.cli.sentences import sentence
from tests.clients import distributions
from tests.clients.desk import Desk
from tests.support.service import SCRIPTS, Service, servers_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for distributions."""
    made = tmp_path / "distributions"
    made.mkdir()
    return made


def fill(folder: Path, project: str) -> None:
    """Write four good files, one of them deep inside, three bad ones, and two that are no distributions."""
    distributions.wheel(folder, project, "1.0")
    distributions.wheel(folder, project, "2.0")
    distributions.modern_sdist(folder, project, "1.0")
    deep = folder / "deep" / "inside"
    deep.mkdir(parents=True)
    distributions.classic_sdist(deep, project, "2.0")
    module = distributions.module_of(project)
    (folder / f"{module}-3.0-py3-none-any.whl").write_bytes(b"no archive at all")
    (folder / f"{module}-4.0.zip").write_bytes((deep / f"{module}-2.0.tar.gz").read_bytes())
    lying = distributions.wheel(deep, f"{project}-other", "1.0")
    lying.rename(folder / f"{module}-5.0-py2.py3-none-any.whl")
    (folder / "README.txt").write_text("not a distribution\n")
    (folder / f"{module}-6.0.tar.bz2").write_bytes(b"nor is this one")


def test_while_the_service_runs(service: Service, folder: Path, tmp_path: Path) -> None:
    """Good files are published and listed at once, bad ones counted and explained, and the status is 1."""
    fill(folder, "import-running")
    done = service.cheeseshop("import", folder, status=1)
    counts, *refusals = done.stdout.splitlines()
    assert counts == "4 published, 0 already there, 3 refused, of 7 files."
    assert [line.split(": ")[0].strip() for line in refusals] == [
        "import_running-3.0-py3-none-any.whl",
        "import_running-4.0.zip",
        "import_running-5.0-py2.py3-none-any.whl",
    ]
    assert "Invalid distribution file." in refusals[0]
    assert "Traceback" not in done.stderr
    assert sorted(Desk(service, tmp_path).listed("import-running")) == [
        "import_running-1.0-py2.py3-none-any.whl",
        "import_running-1.0.tar.gz",
        "import_running-2.0-py2.py3-none-any.whl",
        "import_running-2.0.tar.gz",
    ]


def test_again(service: Service, folder: Path) -> None:
    """What is there already is passed over, and what was refused is refused again."""
    fill(folder, "import-again")
    service.cheeseshop("import", folder, status=1)
    before = service.sql("SELECT max(serial) FROM journal")
    done = service.cheeseshop("import", "--quiet", folder, status=1)
    assert done.stdout.splitlines()[0] == "0 published, 4 already there, 3 refused, of 7 files."
    assert done.stderr == ""
    assert service.sql("SELECT max(serial) FROM journal") == before


def test_owner(service: Service, folder: Path) -> None:
    """The projects belong to the account that was named, or to nobody yet."""
    assert service.token
    owned = distributions.wheel(folder, "import-owned")
    nobodys = distributions.wheel(folder, "import-nobodys")
    service.cheeseshop("import", "--owner", "ada", owned)
    service.cheeseshop("import", nobodys)
    roles = (
        "SELECT p.name, u.name, r.role FROM projects p LEFT JOIN roles r ON r.project_id = p.id"
        " LEFT JOIN users u ON u.id = r.user_id WHERE p.name IN ('import-owned', 'import-nobodys') ORDER BY 1"
    )
    assert service.sql(roles) == [("import-nobodys", None, None), ("import-owned", "ada", "Owner")]


def test_owner_of_other_projects(service: Service, folder: Path) -> None:
    """Who is named as owner has that account's rights, and no more."""
    assert service.token
    service.add_user("mia")
    service.cheeseshop("import", "--owner", "ada", distributions.wheel(folder, "import-of-ada"))
    second = distributions.wheel(folder, "import-of-ada", "2.0")
    done = service.cheeseshop("import", "--owner", "mia", second, status=1)
    assert "The user 'mia' isn't allowed to upload to project 'import-of-ada'." in done.stdout


def test_nothing_to_import(service: Service, folder: Path) -> None:
    """No distributions, an unknown owner, a path that is not there: each is said in a sentence."""
    assert "no .whl, .tar.gz, .zip files in" in sentence(service.cheeseshop("import", folder, status=1))
    file = distributions.wheel(folder, "import-unknown-owner")
    unknown = service.cheeseshop("import", "--owner", "nobody", file, status=1)
    assert "There is no user named 'nobody'." in unknown.stderr
    assert "published" not in unknown.stdout
    assert "does not exist" in service.cheeseshop("import", folder / "gone", status=2).stderr


def test_while_no_service_runs(new_service: Service, folder: Path) -> None:
    """The command starts the servers for itself, stops them again, and a service finds what it published."""
    fill(folder, "import-alone")
    done = new_service.cheeseshop("import", folder, status=1)
    assert done.stdout.startswith("4 published, 0 already there, 3 refused, of 7 files.")
    assert servers_of(new_service.data) == []
    new_service.start()
    assert len(Desk(new_service, folder).listed("import-alone")) == 4
    new_service.stop()


def test_killed_in_the_middle(stopped_service: Service, folder: Path) -> None:
    """An import that was killed is simply run again, and everything is there once."""
    total = 40
    for number in range(total):
        distributions.wheel(folder, f"import-killed-{number}")
    importing = subprocess.Popen(
        [SCRIPTS / "cheeseshop", "import", "--quiet", folder],
        cwd=stopped_service.folder,
        env=stopped_service.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stored = stopped_service.data / "files"
    deadline = time.monotonic() + 60
    while len(list(stored.rglob("*.whl"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    importing.send_signal(SIGKILL)
    assert importing.wait(60) == -SIGKILL
    done = stopped_service.cheeseshop("import", "--quiet", folder)
    counted = re.match(r"(\d+) published, (\d+) already there, 0 refused, of 40 files\.", done.stdout)
    assert counted is not None, done.stdout
    assert int(counted[1]) + int(counted[2]) == total
    stopped_service.start()
    assert stopped_service.sql("SELECT count(*), count(DISTINCT filename) FROM files") == [(total, total)]
    stopped_service.stop()
