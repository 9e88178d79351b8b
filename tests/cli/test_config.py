"""``cheeseshop config show``, and what is said of a configuration that cannot be used."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pypi.cli.main import main
from tests.cli.sentences import sentence
from tests.support.service import Service

SECRET = "s3cret-word"


def config_show(*options: str, file: Path | None = None, status: int = 0, **settings: str) -> Result:
    """``cheeseshop config show`` in this process, with these settings and no others."""
    ours = {name: None for name in os.environ if name.startswith("CHEESESHOP_")}
    given = {f"CHEESESHOP_{name}": value for name, value in settings.items()}
    before = [] if file is None else ["--config", str(file)]
    done = CliRunner().invoke(main, [*before, "config", "show", *options], env={**ours, **given})
    assert done.exit_code == status, done.output
    return done


def written(folder: Path, text: str) -> Path:
    """A configuration file."""
    file = folder / "cheeseshop.toml"
    file.write_text(text)
    file.chmod(0o640)
    return file


def test_table() -> None:
    """Every key stands in a line of its own with its value, its origin and what it is for."""
    done = config_show(UPLOADS_MAX_FILE_SIZE="2MB")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert done.stderr == ""
    assert "8080" in lines["service.port"]
    assert "(default) TCP port of the index" in lines["service.port"]
    assert "2MB" in lines["uploads.max_file_size"]
    assert "(CHEESESHOP_UPLOADS_MAX_FILE_SIZE)" in lines["uploads.max_file_size"]


def test_json(tmp_path: Path) -> None:
    """Programs get the same as data."""
    file = written(tmp_path, '[uploads]\nmax_file_size = "3MB"\nzip_sdists = true\n')
    keys = {line["key"]: line for line in json.loads(config_show("--json", file=file).stdout)}
    assert keys["uploads.max_file_size"]["value"] == "3MB"
    assert keys["uploads.max_file_size"]["origin"] == str(file)
    assert keys["uploads.max_file_size"]["variable"] == "CHEESESHOP_UPLOADS_MAX_FILE_SIZE"
    assert keys["uploads.zip_sdists"]["value"] == "on"
    assert keys["service.port"]["origin"] == "default"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_hidden_secrets(options: list[str]) -> None:
    """Passwords are not shown, though everything else about a URL is."""
    done = config_show(
        *options,
        DATABASE_URL=f"postgresql://cheese:{SECRET}@db.example/cheese",
        REDIS_URL=f"redis://:{SECRET}@redis.example:6379/0",
        MAIL_URL=f"smtp://cheese:{SECRET}@mail.example:587",
    )
    assert SECRET not in done.output
    assert "postgresql://cheese:***@db.example/cheese" in done.stdout
    assert "redis://:***@redis.example:6379/0" in done.stdout
    assert "smtp://cheese:***@mail.example:587" in done.stdout


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        (
            "SERVICE_PORT",
            "many",
            "service.port = 'many' (CHEESESHOP_SERVICE_PORT): allowed is a whole number",
        ),
        ("ACCESS_READS", "secret", "access.reads = 'secret' (CHEESESHOP_ACCESS_READS): allowed is"),
        ("SERVICE_PROT", "80", "CHEESESHOP_SERVICE_PROT (environment): there is no such key. Did you mean"),
        ("DATABASE_URL", f"mysql://x:{SECRET}@h/d", "database.url = (hidden) (CHEESESHOP_DATABASE_URL)"),
        ("CONFIG", "/nowhere/at/all.toml", "configuration file /nowhere/at/all.toml cannot be read"),
        ("SERVICE_INTERFACE", "0.0.0.0", "set service.origin."),
    ],
)
def test_unusable_values(variable: str, value: str, says: str) -> None:
    """The sentence names the key, the value, where it came from and what is allowed; the status is 2."""
    done = config_show(status=2, **{variable: value})
    assert says in sentence(done)
    assert SECRET not in done.output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[service]\nport = 80000\n", "service.port = 80000"),
        ("[service]\nprot = 80\n", "service.prot"),
        ("[sevrice]\nport = 80\n", "sevrice.port"),
        ("port = 80\n", "keys stand in sections, such as [service]."),
        ("[service\n", "is not TOML"),
    ],
)
def test_unusable_files(tmp_path: Path, text: str, says: str) -> None:
    """What is wrong in the file is said in a sentence that names the file."""
    file = written(tmp_path, text)
    said = sentence(config_show(file=file, status=2))
    assert says in said
    assert str(file) in said


def test_all_that_is_wrong() -> None:
    """Several mistakes are told at once, a line for each."""
    lines = config_show(status=2, SERVICE_PORT="x", OPERATOR_PORT="y").stderr.splitlines()
    assert len(lines) == 2
    assert {key in "".join(lines) for key in ("service.port", "operator.port")} == {True}


def test_file_with_a_password_that_everybody_may_read(tmp_path: Path) -> None:
    """A password in a file that others can read is refused, and not repeated."""
    file = written(tmp_path, f'[database]\nurl = "postgresql://cheese:{SECRET}@db.example/cheese"\n')
    file.chmod(0o644)
    done = config_show(file=file, status=2)
    assert "database.url" in sentence(done)
    assert SECRET not in done.output
    file.chmod(0o640)
    assert SECRET not in config_show(file=file).output


def test_nothing_is_started_to_show_it(new_service: Service) -> None:
    """The configuration of a data folder is shown without making it."""
    assert str(new_service.data) in new_service.cheeseshop("config", "show").stdout
    assert "service.port = 'x'" in sentence(
        new_service.cheeseshop("config", "show", status=2, CHEESESHOP_SERVICE_PORT="x")
    )
    assert not new_service.data.exists()
