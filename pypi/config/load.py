"""Reading the configuration from a file, the environment and a command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pypi.config.openid import half_said
from pypi.config.sections import PREFIX, Config, Edge, Files, Key, OpenId, Pages, Service, keys, sections
from pypi.config.show import password_in
from pypi.config.values import NotAllowed, is_loopback

FILE_VARIABLE = "CHEESESHOP_CONFIG"


class ConfigError(Exception):
    """The configuration cannot be used; ``str()`` is one line for each thing that is wrong."""


def load(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Config:
    """Read the configuration.

    Args:
        file: a TOML file; by default the one ``CHEESESHOP_CONFIG`` names, if any.
        environment: by default the process's own.
        overrides: ``section.key`` → value from a command line; strongest of all.

    Raises:
        ConfigError: with a line for everything that is wrong.
    """
    environment = os.environ if environment is None else environment
    if file is None and environment.get(FILE_VARIABLE):
        file = Path(environment[FILE_VARIABLE])
    known = {key.dotted: key for key in keys()}
    problems: list[str] = []
    found: dict[str, tuple[object, str]] = {}
    if file is not None:
        found.update(_from_file(file, known, problems))
    found.update(_from_environment(environment, known, problems))
    found.update({dotted: (value, "command line") for dotted, value in (overrides or {}).items()})

    values: dict[str, dict[str, Any]] = {}
    for dotted, (value, origin) in found.items():
        key = known[dotted]
        try:
            values.setdefault(key.section, {})[key.name] = key.read(value)
        except NotAllowed as allowed:
            shown = "(hidden)" if key.secret else repr(value)
            problems.append(f"{dotted} = {shown} ({origin}): allowed is {allowed}.")
    if not problems:
        problems.extend(_contradictions(values))
    if file is not None and not problems:
        problems.extend(_exposed_secrets(file, found, known))
    if problems:
        raise ConfigError("\n".join(problems))
    made = {name: cls(**values.get(name, {})) for name, cls in sections().items()}
    return Config(**made, origins={dotted: origin for dotted, (_, origin) in found.items()})


def _from_file(
    file: Path, known: Mapping[str, Key], problems: list[str]
) -> Iterator[tuple[str, tuple[object, str]]]:
    # Imported here: workers read what the supervisor has read.
    import tomllib

    try:
        parsed = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"The configuration file {file} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {file} is not TOML: {error}.") from None
    for section, table in parsed.items():
        if not isinstance(table, dict):
            problems.append(f"{section} ({file}): keys stand in sections, such as [service].")
            continue
        for name, value in table.items():
            dotted = f"{section}.{name}"
            if dotted in known:
                yield dotted, (value, str(file))
            else:
                problems.append(_unknown(dotted, str(file), known))


def _from_environment(
    environment: Mapping[str, str], known: Mapping[str, Key], problems: list[str]
) -> Iterator[tuple[str, tuple[object, str]]]:
    by_variable = {key.variable: key for key in known.values()}
    for variable, value in environment.items():
        if variable in by_variable:
            yield by_variable[variable].dotted, (value, variable)
        elif variable.startswith(PREFIX) and variable != FILE_VARIABLE:
            problems.append(_unknown(variable, "environment", by_variable))


def _unknown(name: str, origin: str, known: Mapping[str, Key]) -> str:
    import difflib  # only for who has written it wrong

    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else " `cheeseshop config show` lists all keys."
    return f"{name} ({origin}): there is no such key.{hint}"


def _contradictions(values: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    service = Service(**values.get("service", {}))
    if not service.origin and not is_loopback(service.interface):
        yield (
            f"service.interface = {service.interface!r}: an index that listens beyond loopback needs to know "
            "its URL: set service.origin."
        )
    if service.require_https and not service.origin.startswith("https:"):
        yield "service.require_https: clients need to know where to go: set service.origin to an https URL."
    yield from _impossible_handoff(Files(**values.get("files", {})))
    pages = Pages(**values.get("pages", {}))
    if pages.camo_url and not pages.camo_key:
        yield "pages.camo_url: the proxy fetches what is signed: set pages.camo_key."
    yield from half_said(OpenId(**values.get("openid", {})))
    edge = Edge(**values.get("edge", {}))
    if edge.purger == "fastly" and not (edge.service and edge.token):
        yield (
            "edge.purger = 'fastly': a service is purged by its identifier, with a token: "
            "set edge.service and edge.token."
        )
    if edge.purger == "varnish" and not edge.varnishes:
        yield "edge.purger = 'varnish': each instance is told of changes: set edge.varnishes."


def _impossible_handoff(files: Files) -> Iterator[str]:
    in_bucket = files.url.startswith("s3:")
    if files.handoff == "redirect" and not in_bucket:
        yield "files.handoff = 'redirect': only a bucket hands out files, and files.url is none."
    if files.handoff in ("x-accel", "x-sendfile") and in_bucket:
        yield f"files.handoff = {files.handoff!r}: a server sends files of a folder, not of a bucket."
    if not (files.handoff_prefix.startswith("/") and files.handoff_prefix.endswith("/")):
        yield f"files.handoff_prefix = {files.handoff_prefix!r}: it begins and ends with a slash."


def _exposed_secrets(
    file: Path, found: Mapping[str, tuple[object, str]], known: Mapping[str, Key]
) -> Iterator[str]:
    if not file.stat().st_mode & 0o004:
        return
    for dotted, (value, origin) in found.items():
        if origin == str(file) and known[dotted].secret and password_in(str(value)):
            yield f"{dotted} ({file}): holds a password and everybody may read the file; chmod 640 it."
