"""Configuration: read once from several places, and refused in sentences an operator can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pypi.config import Config, ConfigError, hide_password, load, shown
from pypi.config.sections import Key, keys
from pypi.domain.switches import Announcement

ALL = {key.dotted: key for key in keys()}

FEEDS_AND_HTML = ("feeds.updates", "feeds.packages", "feeds.project", "simple.html")

GOOD: dict[str, tuple[object, str, object]] = {
    # key: (in TOML, in the environment, as read)
    "service.port": (8000, "8000", 8000),
    "service.interface": ("::1", "::1", "::1"),
    "service.workers": (0, "0", 0),
    "service.drain": (5, "5", 5),
    "service.connections": (10_000, "10000", 10_000),
    "service.origin": ("https://index.example", "https://index.example/", "https://index.example"),
    "service.hosts": (
        ["a.example", "b.example:8080"],
        "a.example, b.example:8080",
        ("a.example", "b.example:8080"),
    ),
    "service.require_https": (False, "off", False),
    "service.trusted_proxies": (["10.0.0.0/8", "::1"], "10.0.0.0/8,::1", ("10.0.0.0/8", "::1/128")),
    "service.data": ("/srv/data", "/srv/data", Path("/srv/data")),
    "operator.port": (0, "0", 0),
    "operator.interface": ("127.0.0.2", "127.0.0.2", "127.0.0.2"),
    "database.url": ("postgresql://u@h/d", "postgresql://u@h/d", "postgresql://u@h/d"),
    "database.pool": (20, "20", 20),
    "redis.url": ("redis://h:6379/0", "unix:///run/redis", ...),
    "redis.memory": ("1GB", "1gb", 1 << 30),
    "files.url": ("s3://bucket/prefix", "s3://bucket/prefix", "s3://bucket/prefix"),
    "files.base_url": ("https://files.example", "https://files.example", "https://files.example"),
    "files.s3_endpoint": ("http://s3.example:9000", "http://s3.example:9000", "http://s3.example:9000"),
    "files.s3_region": ("eu-1", "eu-1", "eu-1"),
    "files.handoff": ("x-accel", "X-ACCEL", "x-accel"),
    "files.handoff_prefix": ("/internal/", "/internal/", "/internal/"),
    "files.handoff_seconds": (60, "60", 60),
    "pages.name": ("Our Cheese", " Our Cheese ", "Our Cheese"),
    "pages.tagline": ("", "Ripe & ready", ...),
    "pages.contact": ("cheese@shop.example", "https://help.example/", ...),
    "pages.camo_url": ("", "", ""),
    "pages.camo_key": ("s3cret", "s3cret", "s3cret"),
    "access.reads": ("private", "PRIVATE", "private"),
    "access.new_projects": ("roles", "Roles", "roles"),
    "access.registration": ("on", "on", "on"),
    "access.confirm_new_browsers": ("all", "ALL", "all"),
    "access.breached_passwords_url": (
        "https://range.example/x/",
        "https://range.example/x",
        "https://range.example/x",
    ),
    "openid.issuer": ("", "", ""),
    "openid.client_id": ("", "", ""),
    "openid.client_secret": ("s3cret", "s3cret", "s3cret"),
    "openid.name": ("Our Staff", "Our Staff", ...),
    "openid.scopes": (["profile", "groups"], "profile, groups", ("openid", "profile", "groups")),
    "openid.registration": ("on", "ON", "on"),
    "openid.allowed_domains": (["People.example"], "@people.example", ("people.example",)),
    "openid.trust_mfa": (True, "on", True),
    "uploads.max_file_size": (1048576, "1MB", 1 << 20),
    "uploads.max_project_size": ("2 GiB", "2GB", 2 << 30),
    "uploads.zip_sdists": (True, "yes", True),
    "uploads.release_days": (0, "0", 0),
    "uploads.reserved_names": (["a", "b"], "a,b,", ("a", "b")),
    "uploads.inspectors": (4, " 4 ", 4),
    "legacy.uploads": ("gone", "gone", "gone"),
    "legacy.index_hosts": (["old.example"], "old.example", ("old.example",)),
    "legacy.files_hosts": (["old.example"], "old.example", ("old.example",)),
    "legacy.docs_hosts": (["old.example"], "old.example", ("old.example",)),
    "legacy.docs_redirects": (
        {"a": "https://a.example"},
        "a=https://a.example",
        {"a": "https://a.example"},
    ),
    "legacy.off": (["feeds.*", "simple.html"], "feeds.*,simple.html", FEEDS_AND_HTML),
    "legacy.announced": (
        {"xmlrpc.search": {"deprecated": "2026-12-01", "sunset": "2027-06-01"}},
        "xmlrpc.search=2026-12-01/2027-06-01",
        {"xmlrpc.search": Announcement(date(2026, 12, 1), date(2027, 6, 1))},
    ),
    "legacy.announced_at": ("https://index.example/a", "https://index.example/a", "https://index.example/a"),
    "changes.followers": (10, "10", 10),
    "changes.waiters": (0, "0", 0),
    "upstream.url": ("off", "pip", ...),
    "downloads.count": ("off", "no", False),
    "cache.memory": (0, "0", 0),
    "cache.lane": ("off", "no", False),
    "edge.purger": ("off", "OFF", "off"),
    "edge.varnishes": (
        ["http://a.example:6081", "https://b.example/"],
        "http://a.example:6081,https://b.example",
        ("http://a.example:6081", "https://b.example"),
    ),
    "edge.service": ("SU1Z0isxPaozGVKXdv0eY", "SU1Z0isxPaozGVKXdv0eY", "SU1Z0isxPaozGVKXdv0eY"),
    "edge.token": ("s3cret", "s3cret", "s3cret"),
    "edge.api": ("http://127.0.0.1:9/", "http://127.0.0.1:9", "http://127.0.0.1:9"),
    "edge.url": ("https://index.example", "https://index.example/", "https://index.example"),
    "log.access": ("/var/log/access.log", "/var/log/access.log", "/var/log/access.log"),
    "log.format": ("json", "JSON", "json"),
    "log.rotate_size": ("1MB", "1048576", 1 << 20),
    "log.rotate_keep": (0, "0", 0),
    "shadow.percent": (2.5, "2.5", 2.5),
    "shadow.origin": (
        "http://second.example:8080",
        "http://second.example:8080/",
        "http://second.example:8080",
    ),
    "mail.url": ("smtp://h:25", "smtp://h:25", "smtp://h:25"),
    "mail.sender": ("Index <index@h.example>", "Index  <index@h.example>", "Index <index@h.example>"),
    "limits.factor": (0.5, "0.5", 0.5),
    "limits.xmlrpc": ("5/second", " 5 / Second ", "5/second"),
}
"""For every key a value that is allowed; ``...`` where the two places are given different ones."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a configuration file may lie."""
    return tmp_path / "cheeseshop.toml"


def toml(key: Key, value: object) -> str:
    return f"[{key.section}]\n{key.name} = {_literal(value)}\n"


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{name}" = {_literal(one)}' for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def value_of(config: Config, key: Key) -> object:
    return getattr(getattr(config, key.section), key.name)


def problems(*args: object, **options: object) -> list[str]:
    """The lines of what is wrong."""
    with pytest.raises(ConfigError) as raised:
        load(*args, **{"environment": {}, **options})  # type: ignore[arg-type]
    return str(raised.value).splitlines()


# Values


def test_defaults() -> None:
    """Without any configuration the index runs on loopback, on servers of its own."""
    config = load(environment={})
    assert (config.service.port, config.service.interface) == (8080, "127.0.0.1")
    assert (config.operator.port, config.operator.interface) == (8081, "127.0.0.1")
    assert (config.database.url, config.redis.url, config.files.url, config.mail.url) == ("", "", "", "")
    assert config.service.data == Path(".data").absolute()
    assert config.uploads.max_file_size == 100 << 20
    assert config.uploads.max_project_size == 10 << 30
    assert config.uploads.zip_sdists is False
    assert config.uploads.release_days == 14
    assert config.redis.memory == 128 << 20
    assert config.access.reads == "public"
    assert config.origins == {}


def test_every_key_is_tried() -> None:
    """A key that is added here has to be tested here."""
    assert set(GOOD) == set(ALL)


@pytest.mark.parametrize("dotted", GOOD)
def test_allowed_values(file: Path, dotted: str) -> None:
    """Every key is read from a file and from the environment, and says where its value came from."""
    key, (in_toml, in_environment, expected) = ALL[dotted], GOOD[dotted]
    file.touch(0o600)
    file.write_text(toml(key, in_toml))
    file.chmod(0o600)
    from_file = load(file, environment={})
    from_environment = load(environment={key.variable: in_environment})
    assert from_file.origins[dotted] == str(file)
    assert from_environment.origins[dotted] == key.variable
    if expected is ...:
        assert value_of(from_file, key) == in_toml
        assert value_of(from_environment, key) == in_environment
    else:
        assert value_of(from_file, key) == value_of(from_environment, key) == expected


def test_last_wins(file: Path) -> None:
    """The command line goes before the environment, that before the file, that before the default."""
    file.write_text("[service]\nport = 1\nworkers = 1\n[uploads]\nrelease_days = 1\n")
    environment = {"CHEESESHOP_SERVICE_PORT": "2", "CHEESESHOP_SERVICE_WORKERS": "2"}
    config = load(file, environment=environment, overrides={"service.port": 3})
    assert (config.service.port, config.service.workers, config.uploads.release_days) == (3, 2, 1)
    assert config.origins == {
        "service.port": "command line",
        "service.workers": "CHEESESHOP_SERVICE_WORKERS",
        "uploads.release_days": str(file),
    }


def test_file_named_in_the_environment(file: Path) -> None:
    """The environment may name the file; an argument goes before it."""
    file.write_text("[service]\nport = 1\n")
    other = file.with_name("other.toml")
    other.write_text("[service]\nport = 2\n")
    assert load(environment={"CHEESESHOP_CONFIG": str(file)}).service.port == 1
    assert load(other, environment={"CHEESESHOP_CONFIG": str(file)}).service.port == 2
    assert load(environment={"CHEESESHOP_CONFIG": ""}).service.port == 8080


def test_frozen() -> None:
    """Nobody changes it afterwards."""
    config = load(environment={})
    with pytest.raises(AttributeError):
        config.service.port = 1  # type: ignore[misc]


def test_folders() -> None:
    """A relative folder is that of the moment the configuration is read, and ~ is at home."""
    for given, expected in (("x", Path.cwd() / "x"), ("~/x", Path.home() / "x"), ("/x", Path("/x"))):
        assert load(environment={"CHEESESHOP_SERVICE_DATA": given}).service.data == expected


# What is wrong


@pytest.mark.parametrize("dotted", GOOD)
def test_values_of_the_wrong_type(file: Path, dotted: str) -> None:
    """A value that is not allowed is named with its key, where it stands, and what is allowed."""
    key = ALL[dotted]
    file.write_text(toml(key, [["x"]]))
    shown_value = "(hidden)" if key.secret else "[['x']]"
    [line] = problems(file)
    assert line.startswith(f"{dotted} = {shown_value} ({file}): allowed is ")
    assert line.endswith(".")


@pytest.mark.parametrize(
    ("dotted", "value", "allowed"),
    [
        ("service.port", "65536", "a whole number from 0 to 65,535"),
        ("service.port", "-1", "a whole number from 0 to 65,535"),
        ("service.port", "80.0", "a whole number from 0 to 65,535"),
        ("service.port", "", "a whole number from 0 to 65,535"),
        ("service.port", "٨٠", "a whole number from 0 to 65,535"),
        ("service.port", "9" * 5000, "a whole number from 0 to 65,535"),
        ("database.pool", "0", "a whole number from 1 to 200"),
        ("limits.factor", "-1", "a number from 0 to 1000"),
        ("limits.factor", "nan", "a number from 0 to 1000"),
        ("limits.factor", "inf", "a number from 0 to 1000"),
        ("limits.factor", "much", "a number from 0 to 1000"),
        ("limits.xmlrpc", "0/hour", "a rate such as 3600/hour or 5/second, or off"),
        ("limits.xmlrpc", "7/fortnight", "a rate such as 3600/hour or 5/second, or off"),
        (
            "uploads.max_file_size",
            "100 miles",
            "a number of bytes such as 262144, 256KB, 100MB or 10GB, from 1KB to 1TB",
        ),
        (
            "uploads.max_file_size",
            "1",
            "a number of bytes such as 262144, 256KB, 100MB or 10GB, from 1KB to 1TB",
        ),
        ("uploads.zip_sdists", "perhaps", "on or off"),
        ("pages.name", " ", "text on one line, of 1 to 60 characters"),
        ("pages.name", "n" * 61, "text on one line, of 1 to 60 characters"),
        ("pages.tagline", "two\nlines", "text on one line, of 0 to 120 characters"),
        ("access.reads", "some", "public or private"),
        ("access.new_projects", "private", "public, accounts, roles"),
        ("legacy.uploads", "410", "accept or gone"),
        ("service.trusted_proxies", "10.0.0.1/8", "a list of networks such as 10.0.0.0/8 or ::1"),
        ("service.trusted_proxies", "everybody", "a list of networks such as 10.0.0.0/8 or ::1"),
        (
            "legacy.docs_redirects",
            "a=ftp://a.example",
            "a URL beginning http://…, https://…",
        ),
        ("service.data", " ", "the path of a folder"),
        ("service.data", "a\0b", "the path of a folder"),
        (
            "legacy.docs_redirects",
            "a",
            "a table of texts (in the environment: key=value, separated by commas)",
        ),
        (
            "service.origin",
            "index.example",
            "a URL beginning http://…, https://…, with nothing after the host",
        ),
        (
            "service.origin",
            "https://index.example/base",
            "a URL beginning http://…, https://…, with nothing after the host",
        ),
        (
            "service.origin",
            "https://u:p@index.example",
            "a URL beginning http://…, https://…, with nothing after the host",
        ),
        (
            "service.origin",
            "https://index.example:port",
            "a URL beginning http://…, https://…, with nothing after the host",
        ),
        (
            "service.origin",
            "https://index.example\r\nx",
            "a URL beginning http://…, https://…, with nothing after the host",
        ),
        (
            "service.origin",
            'https://"index.example',
            "a URL beginning http://…, https://…, with nothing after the host",
        ),
        ("service.origin", "https://", "a URL beginning http://…, https://…, with nothing after the host"),
        (
            "service.origin",
            "https://[::1",
            "a URL beginning http://…, https://…, with nothing after the host",
        ),
        ("files.url", "ftp://files.example", "a URL beginning file://…, s3://…"),
        ("upstream.url", "maybe", "a URL beginning http://…, https://…, or pip, or off"),
    ],
)
def test_values_that_are_not_allowed(dotted: str, value: str, allowed: str) -> None:
    """A value outside its range is refused, and the range told."""
    variable = ALL[dotted].variable
    assert problems(environment={variable: value}) == [
        f"{dotted} = {value!r} ({variable}): allowed is {allowed}."
    ]


@pytest.mark.parametrize(
    "variable", ["CHEESESHOP_DATABASE_URL", "CHEESESHOP_REDIS_URL", "CHEESESHOP_MAIL_URL"]
)
def test_secrets_in_what_is_wrong(variable: str) -> None:
    """A secret is not repeated, also where it is not allowed."""
    [line] = problems(environment={variable: "https://ada:hunter2@index.example"})
    assert "= (hidden) " in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("text", "name", "hint"),
    [
        ("[service]\nprot = 1\n", "service.prot", " Did you mean service.port?"),
        ("[servcie]\nport = 1\n", "servcie.port", " Did you mean service.port?"),
        ("[uploads]\nmax_filesize = 1\n", "uploads.max_filesize", " Did you mean uploads.max_file_size?"),
        ("[x]\nqqqq = 1\n", "x.qqqq", " `cheeseshop config show` lists all keys."),
    ],
)
def test_unknown_keys(file: Path, text: str, name: str, hint: str) -> None:
    """A key nobody knows is refused, with the one that was probably meant."""
    file.write_text(text)
    assert problems(file) == [f"{name} ({file}): there is no such key.{hint}"]


def test_unknown_variables() -> None:
    """A variable with our prefix that nobody knows is refused; others are not ours."""
    environment = {"CHEESESHOP_SERVICE_PROT": "1", "CHEESE": "1", "PATH": "/bin"}
    assert problems(environment=environment) == [
        "CHEESESHOP_SERVICE_PROT (environment): there is no such key. Did you mean CHEESESHOP_SERVICE_PORT?"
    ]


def test_keys_outside_sections(file: Path) -> None:
    """Keys stand in sections."""
    file.write_text("port = 1\n")
    assert problems(file) == [f"port ({file}): keys stand in sections, such as [service]."]


def test_all_at_once(file: Path) -> None:
    """Everything that is wrong is told at once, a line each."""
    file.write_text("port = 1\n[service]\nport = 'x'\nprot = 1\n[uploads]\nzip_sdists = 3\n")
    lines = problems(file, environment={"CHEESESHOP_SERVICE_WORKERS": "many"})
    assert [line.split(" ")[0] for line in lines] == [
        "port",
        "service.prot",
        "service.port",
        "uploads.zip_sdists",
        "service.workers",
    ]


def test_file_that_cannot_be_read(file: Path) -> None:
    """A file that is missing, a folder, or no TOML is named with what is wrong with it."""
    assert problems(file) == [f"The configuration file {file} cannot be read: No such file or directory."]
    assert problems(file.parent) == [f"The configuration file {file.parent} cannot be read: Is a directory."]
    for content in (b"[service\n", b"\xff", b"port = 1\nport = 2"):
        file.write_bytes(content)
        [line, *_] = problems(file)
        assert line.startswith(f"The configuration file {file} is not TOML: ")


@pytest.mark.parametrize("interface", ["0.0.0.0", "::", "192.0.2.1", "index.example"])
def test_listening_beyond_loopback(interface: str) -> None:
    """An index that others reach has to know what they call it."""
    environment = {"CHEESESHOP_SERVICE_INTERFACE": interface}
    assert problems(environment=environment) == [
        f"service.interface = {interface!r}: an index that listens beyond loopback needs to know its URL: "
        "set service.origin."
    ]
    environment["CHEESESHOP_SERVICE_ORIGIN"] = "https://index.example"
    assert load(environment=environment).service.interface == interface


def test_requiring_https() -> None:
    """Whoever is refused over plain HTTP can be told where to go instead."""
    environment = {"CHEESESHOP_SERVICE_REQUIRE_HTTPS": "on", "CHEESESHOP_SERVICE_ORIGIN": "http://a.example"}
    assert problems(environment=environment) == [
        "service.require_https: clients need to know where to go: set service.origin to an https URL."
    ]
    environment["CHEESESHOP_SERVICE_ORIGIN"] = "https://a.example"
    assert load(environment=environment).service.require_https


HANDOFFS = {
    "files.handoff = 'redirect': only a bucket hands out files, and files.url is none.": {
        "handoff": "redirect"
    },
    "files.handoff = 'x-accel': a server sends files of a folder, not of a bucket.": {
        "handoff": "x-accel",
        "url": "s3://bucket",
    },
    "files.handoff_prefix = 'files': it begins and ends with a slash.": {"handoff_prefix": "files"},
}


@pytest.mark.parametrize("problem", HANDOFFS)
def test_handing_off_what_cannot_be(problem: str) -> None:
    """Whoever is to send files in our place has to be able to."""
    given = {f"CHEESESHOP_FILES_{key.upper()}": value for key, value in HANDOFFS[problem].items()}
    assert problems(environment=given) == [problem]


@pytest.mark.parametrize("interface", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_listening_on_loopback(interface: str) -> None:
    """Loopback needs no name."""
    assert load(environment={"CHEESESHOP_SERVICE_INTERFACE": interface}).service.origin == ""


@pytest.mark.parametrize("mode", [0o644, 0o604])
@pytest.mark.parametrize(
    ("dotted", "url"),
    [
        ("database.url", "postgresql://ada:hunter2@db.example/index"),
        ("redis.url", "redis://:hunter2@redis.example"),
        ("mail.url", "smtp://ada:hunter2@mail.example"),
    ],
)
def test_password_everybody_may_read(file: Path, mode: int, dotted: str, url: str) -> None:
    """A file with a password that everybody may read is refused, until only its owners may."""
    file.write_text(toml(ALL[dotted], url))
    file.chmod(mode)
    assert problems(file) == [
        f"{dotted} ({file}): holds a password and everybody may read the file; chmod 640 it."
    ]
    file.chmod(0o640)
    assert value_of(load(file, environment={}), ALL[dotted]) == url


def test_file_without_password(file: Path) -> None:
    """A file without a password may be read by everybody, also where the password comes from elsewhere."""
    file.write_text("[database]\nurl = 'postgresql://ada@db.example/index'\n")
    file.chmod(0o644)
    load(file, environment={"CHEESESHOP_REDIS_URL": "redis://:hunter2@redis.example"})


# Shown


def lines(config: Config) -> Iterator[tuple[str, str, str]]:
    for key, value, origin in shown(config):
        yield key.dotted, value, origin


def test_shown() -> None:
    """Every key is shown with its value as one would write it, and where it came from."""
    table = {dotted: (value, origin) for dotted, value, origin in lines(load(environment={}))}
    assert set(table) == set(ALL)
    assert {origin for _, origin in table.values()} == {"default"}
    assert table["uploads.max_file_size"][0] == "100MB"
    assert table["redis.memory"][0] == "128MB"
    assert table["uploads.zip_sdists"][0] == "off"
    assert table["limits.factor"][0] == "1"
    assert table["limits.xmlrpc"][0] == "3600/hour"


@pytest.mark.parametrize("dotted", GOOD)
def test_what_is_shown_can_be_written(dotted: str) -> None:
    """A value as it is shown can be set, and means the same; a token is not shown."""
    key, (_, given, _) = ALL[dotted], GOOD[dotted]
    config = load(environment={key.variable: given})
    [(written, origin)] = [(value, origin) for name, value, origin in lines(config) if name == dotted]
    assert origin == key.variable
    if key.secret and "://" not in given:
        assert written == "***"
    else:
        assert value_of(load(environment={key.variable: written}), key) == value_of(config, key)


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("postgresql://ada:hunter2@db.example/index", "postgresql://ada:***@db.example/index"),
        ("redis://:hunter2@redis.example:6379/0", "redis://:***@redis.example:6379/0"),
        ("smtp://ada:hun@ter:2@mail.example", "smtp://ada:***@mail.example"),
        ("smtp://hunter2:hunter2@mail.example", "smtp://hunter2:***@mail.example"),
        ("postgresql://ada@db.example/index", "postgresql://ada@db.example/index"),
        ("hunter2", "***"),
        ("", ""),
    ],
)
def test_passwords_are_hidden(url: str, hidden: str) -> None:
    """Of a URL everything is shown but the password; a secret that is none is not shown at all."""
    assert hide_password(url) == hidden


def test_passwords_given_as_parameters_are_hidden() -> None:
    """libpq also takes passwords behind the question mark, and they are no less secret there."""
    shown_url = hide_password("postgresql:///shop?host=/run&password=s3cret&sslpassword=other#x")
    assert shown_url == "postgresql:///shop?host=/run&password=***&sslpassword=***#x"


def test_secrets_are_hidden() -> None:
    """No secret is shown."""
    environment = {
        "CHEESESHOP_DATABASE_URL": "postgresql://ada:hunter2@db.example/index",
        "CHEESESHOP_REDIS_URL": "redis://:hunter2@redis.example",
        "CHEESESHOP_MAIL_URL": "smtp://ada:hunter2@mail.example",
        "CHEESESHOP_EDGE_TOKEN": "hunter2:hunter2",
    }
    assert not [line for line in lines(load(environment=environment)) if "hunter2" in str(line)]


def test_an_edge_needs_to_be_known() -> None:
    """An edge that could not be told of changes stops the start."""
    fastly = {"CHEESESHOP_EDGE_PURGER": "fastly", "CHEESESHOP_EDGE_SERVICE": "x"}
    [line] = problems(environment=fastly)
    assert line.endswith("set edge.service and edge.token.")
    assert load(environment={**fastly, "CHEESESHOP_EDGE_TOKEN": "y"}).edge.api.startswith("https://")
    [line] = problems(environment={"CHEESESHOP_EDGE_PURGER": "varnish"})
    assert line.endswith("set edge.varnishes.")


def test_pictures_without_a_key() -> None:
    """A proxy for pictures without the key it checks signatures by could be used by everybody."""
    proxy = {"CHEESESHOP_PAGES_CAMO_URL": "https://camo.example/"}
    [line] = problems(environment=proxy)
    assert line.endswith("set pages.camo_key.")
    assert (
        load(environment={**proxy, "CHEESESHOP_PAGES_CAMO_KEY": "y"}).pages.camo_url == "https://camo.example"
    )


@pytest.mark.parametrize(
    ("dotted", "value", "allowed"),
    [
        ("edge.token", "two words", "printable ASCII without blanks"),
        ("edge.varnishes", "http://a.example,b.example", "a list, each a URL beginning http://…, https://…"),
    ],
)
def test_what_an_edge_may_not_be(dotted: str, value: str, allowed: str) -> None:
    """What could not stand in a request to an edge is not allowed."""
    [line] = problems(overrides={dotted: value})
    assert f"allowed is {allowed}" in line


# Documentation


def test_every_key_is_documented() -> None:
    """Every key has a sentence, and a variable that follows from its name."""
    for key in keys():
        assert len(key.about) > 10, key.dotted
        assert key.variable == f"CHEESESHOP_{key.section}_{key.name}".upper()
        assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", key.dotted)


def test_urls_with_passwords_are_secret() -> None:
    """A key whose value is, or may hold, a password is secret."""
    for key in keys():
        secret = {
            "database.url",
            "redis.url",
            "mail.url",
            "edge.token",
            "pages.camo_key",
            "openid.client_secret",
        }
        assert key.secret is (key.dotted in secret), key.dotted
