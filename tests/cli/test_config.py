"""``cheeseshop config show``, and what is said of a configuration that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.sentences import sentence
from tests.support.service import Service

SECRET = "s3cret-word"


def test_table(new_service: Service) -> None:
    """Every key stands in a line of its own with its value, its origin and what it is for."""
    done = new_service.cheeseshop("config", "show", CHEESESHOP_UPLOADS_MAX_FILE_SIZE="2MB")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert done.stderr == ""
    assert "8080" in lines["service.port"]
    assert "(default) TCP port of the index" in lines["service.port"]
    assert "2MB" in lines["uploads.max_file_size"]
    assert "(CHEESESHOP_UPLOADS_MAX_FILE_SIZE)" in lines["uploads.max_file_size"]
    assert not new_service.data.exists()


def test_json(new_service: Service) -> None:
    """Programs get the same as data."""
    file = written(new_service, '[uploads]\nmax_file_size = "3MB"\nzip_sdists = true\n')
    done = new_service.cheeseshop("--config", file, "config", "show", "--json")
    keys = {line["key"]: line for line in json.loads(done.stdout)}
    assert keys["uploads.max_file_size"]["value"] == "3MB"
    assert keys["uploads.max_file_size"]["origin"] == str(file)
    assert keys["uploads.max_file_size"]["variable"] == "CHEESESHOP_UPLOADS_MAX_FILE_SIZE"
    assert keys["uploads.zip_sdists"]["value"] == "on"
    assert keys["service.port"]["origin"] == "default"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_hidden_secrets(new_service: Service, options: list[str]) -> None:
    """Passwords are not shown, though everything else about a URL is."""
    done = new_service.cheeseshop(
        *("config", "show", *options),
        CHEESESHOP_DATABASE_URL=f"postgresql://cheese:{SECRET}@db.example/cheese",
        CHEESESHOP_REDIS_URL=f"redis://:{SECRET}@redis.example:6379/0",
        CHEESESHOP_MAIL_URL=f"smtp://cheese:{SECRET}@mail.example:587",
    )
    assert SECRET not in done.stdout + done.stderr
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
def test_unusable_values(new_service: Service, variable: str, value: str, says: str) -> None:
    """The sentence names the key, the value, where it came from and what is allowed; the status is 2."""
    done = new_service.cheeseshop("config", "show", status=2, **{f"CHEESESHOP_{variable}": value})
    assert says in sentence(done)
    assert SECRET not in done.stderr


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
def test_unusable_files(new_service: Service, text: str, says: str) -> None:
    """What is wrong in the file is said in a sentence that names the file."""
    file = written(new_service, text)
    done = new_service.cheeseshop("--config", file, "config", "show", status=2)
    assert says in sentence(done)
    assert str(file) in done.stderr


def test_all_that_is_wrong(new_service: Service) -> None:
    """Several mistakes are told at once, a line for each."""
    done = new_service.cheeseshop(
        "config", "show", status=2, CHEESESHOP_SERVICE_PORT="x", CHEESESHOP_OPERATOR_PORT="y"
    )
    assert "service.port" in done.stderr
    assert "operator.port" in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_file_with_a_password_that_everybody_may_read(new_service: Service) -> None:
    """A password in a file that others can read is refused, and not repeated."""
    file = written(new_service, f'[database]\nurl = "postgresql://cheese:{SECRET}@db.example/cheese"\n')
    file.chmod(0o644)
    done = new_service.cheeseshop("--config", file, "config", "show", status=2)
    assert "database.url" in sentence(done)
    assert SECRET not in done.stderr
    file.chmod(0o640)
    assert SECRET not in new_service.cheeseshop("--config", file, "config", "show").stdout


def written(service: Service, text: str) -> Path:
    """A configuration file."""
    file = service.folder / "cheeseshop.toml"
    file.write_text(text)
    file.chmod(0o640)
    return file
