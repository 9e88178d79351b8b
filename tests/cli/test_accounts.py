"""``cheeseshop user`` and ``cheeseshop token``."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner

from pypi.cli.main import main
from tests.cli.sentences import sentence
from tests.clients import distributions
from tests.clients.desk import Desk, said
from tests.support.service import PASSWORD, Service


def adding(name: str, email: str = "") -> list[str]:
    """The arguments that make an account, with its password from standard input."""
    return ["user", "add", name, "--email", email or f"{name}@example.com", "--password-stdin"]


def lets_in(service: Service, user: str, password: str) -> bool:
    """Whether the index knows somebody; it says so before it looks at what they send."""
    secret = base64.b64encode(f"{user}:{password}".encode()).decode()
    request = Request(service.legacy, data=b"", headers={"Authorization": f"Basic {secret}"})
    with pytest.raises(HTTPError) as refusal:
        urlopen(request, timeout=60)
    assert refusal.value.code < 500
    return refusal.value.code != 401


def test_user_with_a_password(service: Service) -> None:
    """The account has the password that was read from standard input, and no other."""
    done = service.cheeseshop(*adding("pia"), given="her own password\nanother line\n")
    assert (done.stdout, done.stderr) == ("", "Added pia.\n")
    assert lets_in(service, "pia", "her own password")
    assert not lets_in(service, "pia", "another line")


def test_user_without_a_password(service: Service) -> None:
    """Without a terminal and without a password the account can use nothing but tokens."""
    service.cheeseshop("user", "add", "tom", "--email", "tom@example.com")
    assert not lets_in(service, "tom", "")
    token = service.cheeseshop("token", "create", "tom").stdout.strip()
    assert lets_in(service, "__token__", token)


@pytest.fixture(scope="module")
def once(service: Service) -> Service:
    """The service with an account ``once``."""
    service.add_user("once")
    return service


@pytest.mark.parametrize(
    ("arguments", "given", "says"),
    [
        (adding("ONCE", "other@example.com"), PASSWORD, "There is already a user named"),
        (adding("other", "once@example.com"), PASSWORD, "'once@example.com' belongs to another user."),
        (adding("other", "no address"), PASSWORD, "'no address' is not an e-mail address."),
        (adding("__token__"), PASSWORD, "'__token__' cannot be a user name"),
        (adding("other"), "short", "A password has 8 to 1024 characters."),
    ],
    ids=["name", "address", "no-address", "no-name", "password"],
)
def test_user_that_cannot_be(once: Service, arguments: list[str], given: str, says: str) -> None:
    """What speaks against an account is one sentence and status 1, and there is no account."""
    before = once.sql("SELECT count(*) FROM users")
    assert says in sentence(once.cheeseshop(*arguments, given=given, status=1))
    assert once.sql("SELECT count(*) FROM users") == before


def test_removing_factors(service: Service) -> None:
    """The second factors of an account are gone, and the log says why; nobody has none."""
    service.add_user("flora")
    whose = "(SELECT id FROM users WHERE name = 'flora')"
    service.sql(
        "INSERT INTO totp (user_id, secret, confirmed, last_step)"
        f" VALUES ({whose}, 'a secret of no use', now(), 0)"
    )
    done = service.cheeseshop("user", "remove-factors", "Flora", "--reason", "rang me up")
    assert done.stderr == "Removed all second factors of Flora.\n"
    assert service.sql(f"SELECT 1 FROM totp WHERE user_id = {whose}") == []
    [(actor, about)] = service.sql(
        f"SELECT actor, about FROM audit WHERE user_id = {whose} AND event = 'account.factors-removed'"
    )
    assert (actor, about) == ("operator", {"reason": "rang me up"})
    assert "nobody" in sentence(service.cheeseshop("user", "remove-factors", "nobody", status=1))


def test_user_with_wrong_arguments(service: Service) -> None:
    """A command that cannot be understood ends with status 2."""
    assert "Missing option '--email'" in service.cheeseshop("user", "add", "eve", status=2).stderr
    assert "no password" in sentence(service.cheeseshop(*adding("eve"), given="", status=2))
    assert service.sql("SELECT 1 FROM users WHERE name = 'eve'") == []


def test_list_of_users(service: Service) -> None:
    """All accounts, as a table for people and as JSON for programs."""
    service.cheeseshop(*adding("lis"), "--admin", given=PASSWORD)
    table = service.cheeseshop("user", "list").stdout
    assert re.search(
        r"^lis +lis@example\.com  0 projects, since \d{4}-\d\d-\d\d, admin$", table, re.MULTILINE
    )
    users = {user["name"]: user for user in json.loads(service.cheeseshop("user", "list", "--json").stdout)}
    assert users["lis"]["email"] == "lis@example.com"
    assert users["lis"]["is_admin"] is True


def test_token_alone_on_stdout(service: Service) -> None:
    """A script can take the token from stdout as it is, and upload with it."""
    service.cheeseshop(*adding("max"), given=PASSWORD)
    done = service.cheeseshop("token", "create", "max", "--description", "for the build")
    assert re.fullmatch(r"cheeseshop-[0-9a-f]{16}-[0-9a-f]{64}\n", done.stdout)
    assert done.stderr == ""
    assert lets_in(service, "__token__", done.stdout.strip())


def test_token_that_expires(service: Service) -> None:
    """The token is good for so many days, and for no longer."""
    service.cheeseshop(*adding("ned"), given=PASSWORD)
    token = service.cheeseshop("token", "create", "ned", "--expires", "3").stdout.strip()
    identifier = token.split("-")[1]
    of_token = "FROM tokens WHERE id = %s"
    assert service.sql(f"SELECT expires - created {of_token}", identifier) == [(timedelta(days=3),)]
    assert lets_in(service, "__token__", token)
    service.sql("UPDATE tokens SET expires = now() WHERE id = %s", identifier)
    assert not lets_in(service, "__token__", token)


def test_token_for_one_project(service: Service, desk: Desk) -> None:
    """The token publishes to its project and to no other."""
    project = "token-of-this"
    desk.twine(distributions.wheel(desk.dist, project))
    token = service.cheeseshop("token", "create", "ada", "--project", "Token_of.This").stdout.strip()
    desk.twine(distributions.wheel(desk.dist, project, "2.0"), password=token)
    other = distributions.wheel(desk.dist, "token-of-other")
    refused = said(desk.twine(other, password=token, status=1))
    assert "project-scoped token is not valid for project: 'token-of-other'" in refused
    assert len(desk.listed(project)) == 2


def test_tokens_listed_and_revoked(service: Service) -> None:
    """Tokens are listed by what they may and never shown again; a revoked one is good for nothing."""
    service.cheeseshop(*adding("kit"), given=PASSWORD)
    assert service.cheeseshop("token", "list", "kit").stdout == "kit has no tokens.\n"
    wish = ("--read-only", "--expires", "30", "--description", "a laptop")
    token = service.cheeseshop("token", "create", "kit", *wish).stdout.strip()
    identifier, secret = token.split("-")[1:]
    listed = service.cheeseshop("token", "list", "kit").stdout
    assert listed.startswith(f"{identifier}  may read all your projects, since ")
    assert listed.endswith(", never used: a laptop\n")
    assert secret not in listed
    [one] = json.loads(service.cheeseshop("token", "list", "kit", "--json").stdout)
    assert (one["id"], one["is_read_only"], one["project"]) == (identifier, True, None)
    assert service.cheeseshop("token", "revoke", identifier).stderr == f"Revoked {identifier}.\n"
    assert not lets_in(service, "__token__", token)
    assert "There is no such token." in service.cheeseshop("token", "revoke", identifier, status=1).stderr
    told = (
        "SELECT event, actor FROM audit JOIN users u ON u.id = user_id AND u.name = 'kit' ORDER BY audit.id"
    )
    assert service.sql(told) == [
        ("account.token-added", "operator"),
        ("account.token-revoked", "operator"),
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nobody"], "There is no user named 'nobody'."),
        (["ada", "--project", "no-such-project"], "There is no project named 'no-such-project'"),
    ],
)
def test_token_that_cannot_be(service: Service, arguments: list[str], says: str) -> None:
    """Unknown users and projects are said in a sentence, with status 1; no token is made."""
    assert service.token
    before = service.sql("SELECT count(*) FROM tokens")
    assert says in sentence(service.cheeseshop("token", "create", *arguments, status=1))
    assert service.sql("SELECT count(*) FROM tokens") == before


@pytest.mark.parametrize("days", ["0", "-1", "soon", "36501"])
def test_token_for_days_that_cannot_be(days: str) -> None:
    """A lifetime that makes no sense is status 2."""
    done = CliRunner().invoke(main, ["token", "create", "ada", f"--expires={days}"])
    assert done.exit_code == 2
    assert "Invalid value for '--expires'" in done.stderr


@pytest.fixture
def desk(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A publisher's workplace."""
    return Desk(service, tmp_path_factory.mktemp("desk"))
