"""Rooms that answer one person each, put together: of accounts, of managing, and of operators."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import frozen

from pypi.accounts.openid import OpenId
from pypi.acts import Acts
from pypi.config import Config
from pypi.db.database import Database
from pypi.db.queries import storage
from pypi.domain.switches import Switches
from pypi.files.disk import Disk
from pypi.http.urls import Urls
from pypi.index.downloads import Popularity
from pypi.index.managed import Managing
from pypi.index.overseen import Overseen
from pypi.index.past import Past
from pypi.index.statistics import Statistics
from pypi.jobs.usage import KeepUsage
from pypi.membership import Membership
from pypi.watch import Watch
from pypi.web.account.codes import CodePages
from pypi.web.account.confirm import ConfirmPages
from pypi.web.account.delete import DeleteAccount
from pypi.web.account.emails import EmailPages
from pypi.web.account.factor_desk import FactorDesk
from pypi.web.account.factors import FactorPages
from pypi.web.account.home import AccountHome
from pypi.web.account.log import AccountLog
from pypi.web.account.openid import OpenIdRoom
from pypi.web.account.passkeys import PasskeyPages
from pypi.web.account.password import PasswordPage
from pypi.web.account.register import Register
from pypi.web.account.reset import Reset
from pypi.web.account.second_factor import SecondFactorPage
from pypi.web.account.sessions import SessionPages
from pypi.web.account.sign_in import SignIn
from pypi.web.account.tokens import TokenPages
from pypi.web.account.verify import Verify
from pypi.web.admin.legacy import LegacyUsage
from pypi.web.admin.log import SecurityLog
from pypi.web.admin.overview import Operate
from pypi.web.admin.projects import OperateProjects
from pypi.web.admin.users import OperateAccounts
from pypi.web.api.projects import ProjectActs
from pypi.web.api.releases import ReleaseActs
from pypi.web.api.roles import RoleActs
from pypi.web.api.shown import ManagedProjects
from pypi.web.door import Cookies
from pypi.web.manage.desk import Desk
from pypi.web.manage.history import ManagedHistory
from pypi.web.manage.mine import YourProjects
from pypi.web.manage.people import ManagedPeople
from pypi.web.manage.publishing import ManagedPublishing
from pypi.web.manage.release import ManagedRelease
from pypi.web.manage.releases import ManagedReleases
from pypi.web.manage.settings import ManagedSettings
from pypi.web.pages.connect import Here
from pypi.web.personal import PersonalPages


@frozen(kw_only=True, eq=False)
class Personal:
    """What makes the rooms for one person, and what they have in common.

    Attributes:
        here: the index, as lines that are to be pasted call it.
    """

    config: Config
    database: Database
    members: Membership
    acts: Acts
    pages: PersonalPages
    cookies: Cookies | None
    here: Here
    now: Callable[[], datetime]

    def account(self, *, urls: Urls, openid: OpenId | None) -> tuple[Any, ...]:
        """Where people enter, and look after their accounts.

        Args:
            openid: with what else they enter; ``None`` for nothing.
        """
        members, pages, cookies = self.members, self.pages, self.cookies
        again, sessions = members.again, members.sessions
        mailing = {"sends_mail": members.sends_mail, "mail_is_kept": members.mail_is_kept}
        desk = FactorDesk(
            second_factors=members.second_factors,
            recovery_codes=members.recovery_codes,
            sessions=sessions,
            again=again,
            pages=pages,
            cookies=cookies,
        )
        is_private = self.config.access.reads != "public"
        return (
            AccountHome(sessions=sessions, pages=pages, urls=urls, is_private=is_private),
            SessionPages(sessions=sessions, pages=pages),
            AccountLog(audit=members.audit, pages=pages),
            DeleteAccount(leaving=self.acts.leaving, again=again, pages=pages, cookies=cookies),
            OpenIdRoom(openid=openid, again=again, pages=pages, cookies=cookies),
            EmailPages(emails=members.emails, again=again, pages=pages, **mailing),
            FactorPages(desk=desk, totp=members.totp, passkeys=members.passkeys),
            PasskeyPages(desk=desk, passkeys=members.passkeys),
            CodePages(desk=desk),
            PasswordPage(renewal=members.renewal, pages=pages, cookies=cookies),
            TokenPages(tokens=members.tokens, again=again, pages=pages, index=self.here),
            SignIn(
                entrance=members.entrance,
                step=members.second_step,
                pages=pages,
                cookies=cookies,
                registration=members.registration.is_open,
            ),
            SecondFactorPage(step=members.second_step, pages=pages, cookies=cookies),
            ConfirmPages(
                confirming=members.confirming,
                step=members.second_step,
                pages=pages,
                cookies=cookies,
                mail_is_kept=members.mail_is_kept,
            ),
            Register(
                registration=members.registration,
                entrance=members.entrance,
                pages=pages,
                cookies=cookies,
                mail_is_kept=members.mail_is_kept,
                now=self.now,
            ),
            Reset(renewal=members.renewal, pages=pages, **mailing),
            Verify(emails=members.emails, pages=pages),
        )

    def manage(self) -> tuple[Any, ...]:
        """Where they look after their projects, and where their programs do."""
        acts, pages = self.acts, self.pages
        managing, past = Managing(database=self.database, now=self.now), Past(self.database)
        desk = Desk(pages=pages, counts=self.config.downloads.count)
        return (
            YourProjects(managing=managing, roles=acts.roles, pages=pages),
            ManagedReleases(managing=managing, yanks=acts.yanks, desk=desk),
            ManagedRelease(managing=managing, yanks=acts.yanks, deletions=acts.deletions, desk=desk),
            ManagedPeople(managing=managing, roles=acts.roles, desk=desk),
            ManagedSettings(
                managing=managing,
                statuses=acts.statuses,
                reads=acts.reads,
                renaming=acts.renaming,
                deletions=acts.deletions,
                desk=desk,
            ),
            ManagedHistory(managing=managing, past=past, desk=desk),
            ManagedPublishing(managing=managing, index=self.here, desk=desk),
            ReleaseActs(yanks=acts.yanks, deletions=acts.deletions),
            ProjectActs(
                statuses=acts.statuses,
                renaming=acts.renaming,
                reads=acts.reads,
                deletions=acts.deletions,
            ),
            RoleActs(roles=acts.roles),
            ManagedProjects(managing=managing, past=past),
        )

    def admin(
        self,
        *,
        watched: Watch,
        usage: KeepUsage,
        switches: Switches,
        statistics: Statistics,
        popularity: Popularity,
    ) -> tuple[Any, ...]:
        """Where operators look after all of it."""
        members, acts, pages, database = self.members, self.acts, self.pages, self.database
        return (
            Operate(
                pages=pages,
                administration=members.administration,
                statistics=statistics,
                popularity=popularity,
                figures=watched.scrapes.text,
                database_size=lambda: database.read(storage.size),
                free=Disk(self.config.service.data).free,
                now=self.now,
            ),
            OperateAccounts(
                pages=pages,
                administration=members.administration,
                again=members.again,
                audit=members.audit,
                second_factors=members.second_factors,
                sessions=members.sessions,
            ),
            OperateProjects(
                pages=pages,
                overseen=Overseen(database),
                past=Past(database),
                quarantines=acts.quarantines,
                kept_names=acts.kept_names,
                again=members.again,
            ),
            LegacyUsage(pages=pages, used=usage.since, switches=switches, now=self.now),
            SecurityLog(pages=pages, audit=members.audit),
        )
