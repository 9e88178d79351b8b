"""The catalogue: people, projects, releases, files, the journal, the outbox, the ledger of filenames."""

from alembic import op

revision = "0001"
down_revision = None

STEPS = """
CREATE TABLE users (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL CHECK (name ~ '^[A-Za-z0-9]([A-Za-z0-9._-]{0,48}[A-Za-z0-9])?$'),
    display_name  text NOT NULL DEFAULT '',
    password_hash text,
    is_admin      boolean NOT NULL DEFAULT false,
    is_active     boolean NOT NULL DEFAULT true,
    created       timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_name ON users (lower(name));

CREATE TABLE emails (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    address    text NOT NULL CHECK (length(address) <= 254),
    is_primary boolean NOT NULL DEFAULT false,
    verified   timestamptz,
    created    timestamptz NOT NULL
);
CREATE UNIQUE INDEX emails_address ON emails (lower(address));
CREATE UNIQUE INDEX emails_primary ON emails (user_id) WHERE is_primary;

CREATE TABLE projects (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL,
    normalized    text NOT NULL UNIQUE,
    look_alike    text NOT NULL,
    status        text NOT NULL DEFAULT 'active'
                  CHECK (status IN ('active', 'archived', 'quarantined', 'deprecated')),
    status_reason text NOT NULL DEFAULT '',
    last_serial   bigint NOT NULL DEFAULT 0,
    created       timestamptz NOT NULL
);
CREATE INDEX projects_look_alike ON projects (look_alike);

-- Names nobody may take; rows are added by the operator and when a project is deleted.
CREATE TABLE prohibited_names (
    normalized text PRIMARY KEY,
    reason     text NOT NULL DEFAULT '',
    created    timestamptz NOT NULL
);

CREATE TABLE tokens (
    id            text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
    user_id       bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    project_id    bigint REFERENCES projects ON DELETE CASCADE,
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    description   text NOT NULL DEFAULT '' CHECK (length(description) <= 100),
    created       timestamptz NOT NULL,
    expires       timestamptz,
    last_used     timestamptz,
    revoked       timestamptz
);
CREATE INDEX tokens_user ON tokens (user_id);

CREATE TABLE roles (
    project_id bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    role       text NOT NULL CHECK (role IN ('Owner', 'Maintainer')),
    created    timestamptz NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX roles_user ON roles (user_id);

CREATE TABLE releases (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id    bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    version       text NOT NULL,
    canonical     text NOT NULL,
    is_prerelease boolean NOT NULL,
    summary       text NOT NULL DEFAULT '',
    metadata      jsonb NOT NULL,
    yanked        timestamptz,
    yanked_reason text NOT NULL DEFAULT '',
    created       timestamptz NOT NULL,
    UNIQUE (project_id, canonical)
);

CREATE TABLE descriptions (
    release_id   bigint PRIMARY KEY REFERENCES releases ON DELETE CASCADE,
    content_type text NOT NULL,
    raw          text NOT NULL,
    html         text,
    renderer     text NOT NULL DEFAULT ''
);

CREATE TABLE classifiers (
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);
CREATE TABLE release_classifiers (
    release_id    bigint NOT NULL REFERENCES releases ON DELETE CASCADE,
    classifier_id integer NOT NULL REFERENCES classifiers,
    PRIMARY KEY (release_id, classifier_id)
);
CREATE INDEX release_classifiers_classifier ON release_classifiers (classifier_id);

CREATE TABLE files (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id      bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    release_id      bigint NOT NULL REFERENCES releases ON DELETE CASCADE,
    filename        text NOT NULL UNIQUE,
    filetype        text NOT NULL CHECK (filetype IN ('sdist', 'bdist_wheel')),
    python_version  text NOT NULL,
    size            bigint NOT NULL CHECK (size >= 0),
    md5             text NOT NULL CHECK (md5 ~ '^[0-9a-f]{32}$'),
    sha256          text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    blake2_256      text NOT NULL UNIQUE CHECK (blake2_256 ~ '^[0-9a-f]{64}$'),
    metadata_sha256 text CHECK (metadata_sha256 ~ '^[0-9a-f]{64}$'),
    requires_python text NOT NULL DEFAULT '',
    comment         text NOT NULL DEFAULT '',
    yanked          timestamptz,
    yanked_reason   text NOT NULL DEFAULT '',
    uploader_id     bigint REFERENCES users ON DELETE SET NULL,
    uploaded        timestamptz NOT NULL
);
CREATE INDEX files_project ON files (project_id);
CREATE INDEX files_release ON files (release_id);

-- Every filename ever used. It refers to nothing, so nothing takes a row away: a name is never used twice,
-- whatever the spelling: "Foo-1.0.tar.gz" and "foo-1.0.0.tar.gz" have one canonical form.
CREATE TABLE filenames (
    filename   text PRIMARY KEY,
    canonical  text NOT NULL UNIQUE,
    sha256     text NOT NULL,
    blake2_256 text NOT NULL,
    first_used timestamptz NOT NULL
);

-- The serial is allotted under a lock taken last in its transaction: serials appear in order, without gaps.
CREATE TABLE journal (
    serial     bigint PRIMARY KEY CHECK (serial > 0),
    normalized text,
    name       text,
    version    text,
    action     text NOT NULL,
    actor      text,
    tags       text[] NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX journal_project ON journal (normalized, serial);

-- What has to happen outside the database because of a change, in the same transaction as the change.
CREATE TABLE outbox (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    serial   bigint NOT NULL,
    kind     text NOT NULL,
    payload  jsonb NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    due      timestamptz NOT NULL,
    created  timestamptz NOT NULL
);
CREATE INDEX outbox_due ON outbox (due, id);
"""


def upgrade() -> None:
    """Create everything."""
    op.execute(STEPS)
