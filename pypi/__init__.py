"""Cheeseshop: a Python package index that an organisation runs for itself.

The plan of the house. Data walks one way; a line imports only from the lines below it
(``tests/test_house.py`` reads the imports and checks)::

    twisted/plugins > pypi.service > pypi.process   start, supervise, reload, stop
    pypi.app  front  cli                         assemble and operate
    pypi.acts  browsing  chores  old_world  providers  readership  rooms   what belongs together, put together
    pypi.caches  configured  foundations  jobs  membership  watch   the same: what that stands on
    pypi.web.*   legacy_compat.*                 rooms: never each other, never db
    pypi.http                                    manners of HTTP: requests, answers, routes, bodies
    pypi.index  publishing  accounts  search  shadow   what an index does
    pypi.mail                                    what it writes to people
    pypi.db  files  embedded  metrics            what it stands on
    pypi.config                                  what its operator says
    pypi.domain                                  what it knows: pure
    caching                                      generic HTTP caching: nothing of ours
    pypi.failpoints                              where a rehearsal of crashes kills us

Rooms::

    pypi/app.py         composition root: build(config, reactor, ...) -> Application
    pypi/front.py       which room answers this path
    pypi/configured.py  what the configuration decides alone: adapters, rules, names
    pypi/               put together: watch (access log and metrics)  caches  membership (accounts)
                        providers (OpenID Connect)  readership (who reads what is private)  acts (on projects)
                        chores (jobs)  browsing (pages for everybody)  rooms (pages for one person)  old_world
    pypi/foundations.py the servers behind the index, and the schema, seen to at the start
    pypi/service.py     Options and makeService for twistd
    pypi/process/       supervisor generation slots footing child: keep workers, and carry no application
                        worker ground alone: what is started  serving drain pulse link: what these do
                        sockets orders picture ready signals systemd backoff foreground clock
                        descriptors
    pypi/failpoints.py  points with names, which do nothing unless they are armed
    pypi/config/        sections (every key)  values, features, mail, openid (how one is read)  load  show
    pypi/domain/        names versions filenames metadata/ platform_tags values permissions errors
                        changes: said out loud  journal_words cache_tags: what follows from them
                        features clients devices usage switches: what is used, by whom, until when  downloads
                        marker_words wheel_words: requirements and tags as people say them  classifiers: trees
    pypi/index/         database: what is on the index, from its rows  names: the list of all projects
                        changes: the journal, page by page  tail: the journal as it grows  feeds: what is new
                        history: the journal as changelogs tell it  releases: one question at a time
                        past past_words: what happened to a project, and how that is said
                        documents: all about one release  dependencies: what it needs, and who needs it
                        lookups: many small questions at once
                        looking: what is known in memory, of that  withheld: files in quarantine
                        private: what is not for everybody
                        xmlrpc_lists: the same as answers  statistics: how much there is, and what is newest
                        downloads: of whom how many  people: who publishes what
                        classifiers: how many have which  present: what is called otherwise now
                        overseen: all of it, for operators  managed held: to who has a role
    pypi/publishing/    the corridor: submission facts checks rules publish record errors
                        yank  holding deletion status roles (inviting): what its owners do to a project
                        leaving: accounts that end
                        renaming: names  transfer: to other owners  reads: who it is for
                        quarantine kept_names: what its operator does  told: what either leaves behind
                        archives/  inspection  descriptions  rendering/  children/ (processes)
    pypi/accounts/      accounts passwords proven tokens addresses  secret: what is sent or kept in a cookie
                        issued: tokens that accounts have  last_used: when these were used  readers: who reads
                        sessions (session_changes, _copies)  throttle: how often one may try
                        audit (log_words): the security log
                        administration: by operators
                        again: who changes an account proves once more who they are
                        breached: passwords that leaked  owner: what is told of changes  one_line: names
                        registration emails renewal: what is proven by mail  strength even: of passwords,
                        and of time  notices, mailed: what people are told
                        second_factor: what is owed  totp  recovery  passkeys (relying, ceremonies)
                        factor_errors: why none of these  entrance second_step: from that to a session
                        programs: who these are
                        browsers: which are known  confirming (confirming_changes): which mail lets in
                        shown: pages that tell of an account
                        openid: people sent to a provider, and back (openid_provider, _parts: who says who
                        they are  _tokens: whether it is true  _links: to accounts  _newcomers  _errors)
    pypi/search/        query, inquiry: what is looked for  terms pages nearness: as the database is asked
                        find: who finds it  results: what is found
    pypi/db/            connection database (pool, transact)  revealing: to readers  notify  migrations/
                        queries/<one noun each>
    pypi/mail/          letters: what people are told  post: into the outbox  messages: in words, as mail
                        mailer (contract)  folder  smtp (smtp_talk, smtp_url): who carries it
    pypi/files/         store (contract)  paths  spool draft  local tree descriptors disk
                        s3 s3_client bucket slices  workers
    pypi/embedded/      PostgreSQL and Redis servers that come as wheels
    pypi/metrics/       exposition (figures of all)  text  readings (figures of parts)  heartbeat  overview
    pypi/http/          site channel head plain framing fields target deadline crowd limits: the strict edge
                        request bodies forms multipart caller hosts credentials: what a route sees
                        answer streams refused router answering keeping table negotiate ranges urls:
                        what a route says
                        observed access_log log_lines log_file log_writer hushed noted
                        overheard usage downloaded: what is noted of it
                        terms: who may ask a route, and how  cookies csrf next_path: of who signed in
                        door: who lets in (contract)  json_bodies  described: for the API's description
                        reading veiled: what is not for everybody
                        announced rate_limit: what is said of what is to go, and of how often
                        camo: where pictures of strangers come from  security: what pages may do
    pypi/web/           simple (simple_html, simple_json)  json (json_api, json_documents)  search_api
                        upload  downloads (handoff)  feeds (feeds_xml)  changes (changes_forms)
                        token_reports: of those that leaked  health  metrics: for operators
                        templates: what every page knows  assets (assets_build)  static: files by content
                        reading: who may read
                        pages/: home guides connect statistics classifiers users search search_choices
                        errors: what people are told instead
                        door: who asks, and whether they may  personal: pages for one person
                        account/: sign_in second_factor confirm register reset verify openid  home
                        again: proof  tokens emails password sessions log delete: what one looks after
                        factors passkeys codes (factor_desk): second factors among that
                        manage/: mine  releases release people settings history publishing: of one
                        project  desk: what these share
                        admin/: overview users projects legacy log: for operators  asked: of their lists
                        api/: acts (fields shapes asked confirmed): what all have in common  releases
                        projects roles: what is done  shown: what is told  description: of it all
                        search_described changes_described: for that
                        pages/project/: room (who answers) aside charts contents head lists sections
    pypi/jobs/          schedule turn once, and one file per job: outbox purge mail audit sweep tidy usage
                        downloads rerender popular tokens
    pypi/shadow/        record lines: logs, read  choice calls asks: what is asked  replay exchange replies
                        compare shapes tally report: what came of it  live: traffic shown to another server
    pypi/cli/           main, running, and one file per verb family
    caching/            policy  conditional  tags  store (Entry)  kept  kept_files  memfiles  memory  layered
                        coalesce  moment  lane  sockets  transport  sendfile  redis (redis_pool)  packing
                        shared  invalidations  breaker  figures  stats  rate  limiter  patient  purge  fastly
                        client (exchange)  varnish  vcl/  compression  blocks  buckets: long lists changed by
                        the line
    legacy_compat/      questions (values)  urls (urls_pypi urls_index urls_remains) actions files hosts
                        docs_hosting: the table of old addresses  people  paths  spelling  trove (classifiers)
                        redirects forms: who answers  found said: and what
                        xmlrpc/  calls remembered methods: what is asked  resource: who answers
                        answers releases marshal faults: what is said
    templates/          Jinja2 templates and static files
"""

__version__ = "0.1.0"
