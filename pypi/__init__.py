"""Cheeseshop: a Python package index that an organisation runs for itself.

The plan of the house. Data walks one way; a line imports only from the lines below it
(``tests/test_house.py`` reads the imports and checks)::

    twisted/plugins > pypi.service               start and stop
    pypi.app  pypi.front  pypi.cli  pypi.jobs    assemble and operate: choose between adapters
    pypi.web.*   legacy_compat.*                 rooms: never each other, never db
    pypi.http                                    manners of HTTP: requests, answers, routes, bodies
    pypi.index  publishing  accounts  search     what an index does
    pypi.db  files  embedded                     what it stands on
    pypi.domain                                  what it knows: pure
    caching                                      generic HTTP caching: nothing of ours
    pypi.failpoints                              where a rehearsal of crashes kills us

Rooms::

    pypi/app.py        composition root: build(config, reactor) -> Application
    pypi/front.py      which room answers this host and path
    pypi/config.py     every key: documented, typed, checked, read once
    pypi/service.py    Options and makeService for twistd
    pypi/failpoints.py points with names, which do nothing unless they are armed
    pypi/domain/       names versions filenames metadata values permissions changes errors
    pypi/index/        one question (`Index`), its answerers
    pypi/publishing/   submission archives checks publish: the corridor of an upload
    pypi/accounts/     users passwords tokens
    pypi/db/           database (pool, transact)  migrations/  queries/<one noun each>
    pypi/files/        store (contract)  paths  spool  local  s3
    pypi/embedded/     PostgreSQL and Redis servers that come as wheels
    pypi/http/         channel request bodies multipart answer router negotiate caller headers
    pypi/web/          simple upload downloads pages health
    pypi/jobs/         one file per job
    pypi/cli/          one file per verb family
    caching/           policy conditional
    legacy_compat/     old URLs (to come)
    templates/         Jinja2 templates
"""

__version__ = "0.1.0"
