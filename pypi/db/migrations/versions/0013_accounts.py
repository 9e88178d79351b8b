"""Accounts as people use them: sessions, second factors, proofs sent by mail, throttles, the security log."""

from alembic import op

revision = "0013"
down_revision = "0012"

STEPS = """
-- Of everything secret only a SHA-256 is kept: whoever reads these tables can use nothing of them.

-- ``id`` is what pages call a session by. A session that is partial has shown a password and owes the second
-- factor: it is good for showing that, and for nothing else.
CREATE TABLE sessions (
    digest        bytea PRIMARY KEY CHECK (length(digest) = 32),
    id            bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    user_id       bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    created       timestamptz NOT NULL,
    last_seen     timestamptz NOT NULL,
    expires       timestamptz NOT NULL,
    address       text NOT NULL DEFAULT '' CHECK (length(address) <= 64),
    agent         text NOT NULL DEFAULT '' CHECK (length(agent) <= 300),
    is_partial    boolean NOT NULL DEFAULT false,
    second_factor timestamptz,
    challenge     bytea CHECK (length(challenge) <= 1024)
) WITH (fillfactor = 80);
CREATE INDEX sessions_user ON sessions (user_id, created);
CREATE INDEX sessions_expires ON sessions (expires);

-- The secret is needed whole to say which code is right now. A code is good once: ``last_step`` is the
-- moment, in steps of 30 s, of the last one that was used.
CREATE TABLE totp (
    user_id   bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    secret    bytea NOT NULL CHECK (length(secret) BETWEEN 16 AND 256),
    confirmed timestamptz,
    last_step bigint NOT NULL DEFAULT 0
);

CREATE TABLE passkeys (
    id         bytea PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 1023),
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    public_key bytea NOT NULL CHECK (length(public_key) <= 4096),
    sign_count bigint NOT NULL DEFAULT 0,
    name       text NOT NULL DEFAULT '' CHECK (length(name) <= 100),
    transports text[] NOT NULL DEFAULT '{}',
    created    timestamptz NOT NULL,
    last_used  timestamptz
);
CREATE INDEX passkeys_user ON passkeys (user_id);

CREATE TABLE recovery_codes (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    digest  bytea NOT NULL CHECK (length(digest) = 32),
    used    timestamptz,
    PRIMARY KEY (user_id, digest)
);

-- What is proven by showing a secret that was sent to an address. A registration is nobody's account until
-- its address is proven: what the account shall be stands in ``about`` until then.
CREATE TABLE proofs (
    digest  bytea PRIMARY KEY CHECK (length(digest) = 32),
    user_id bigint REFERENCES users ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('register', 'verify', 'reset')),
    address text CHECK (length(address) <= 254),
    created timestamptz NOT NULL,
    expires timestamptz NOT NULL,
    about   jsonb NOT NULL DEFAULT '{}',
    CHECK ((user_id IS NULL) = (purpose = 'register'))
);
CREATE INDEX proofs_user ON proofs (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX proofs_address ON proofs (lower(address)) WHERE user_id IS NULL;
CREATE INDEX proofs_expires ON proofs (expires);

-- The security log outlives the accounts it speaks of, for which ``actor`` is the name they had.
CREATE TABLE audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    user_id    bigint REFERENCES users ON DELETE SET NULL,
    actor      text NOT NULL DEFAULT '',
    address    text NOT NULL DEFAULT '' CHECK (length(address) <= 64),
    event      text NOT NULL,
    normalized text,
    about      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_user ON audit (user_id, id DESC) WHERE user_id IS NOT NULL;
CREATE INDEX audit_project ON audit (normalized, id DESC) WHERE normalized IS NOT NULL;
CREATE INDEX audit_event ON audit (event, id DESC);
CREATE INDEX audit_address ON audit (at) WHERE address <> '';

-- Buckets of tokens, each as it was ``at`` a moment; from ``full`` on it is as good as none.
CREATE TABLE throttles (
    key    text PRIMARY KEY CHECK (length(key) <= 400),
    tokens double precision NOT NULL,
    at     timestamptz NOT NULL,
    "full" timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX throttles_full ON throttles ("full");

-- A sign-in that began before does not end after.
ALTER TABLE users ADD COLUMN password_changed timestamptz;

ALTER TABLE tokens ADD COLUMN is_read_only boolean NOT NULL DEFAULT false;
"""


def upgrade() -> None:
    """Add the tables; those who have an account keep it as it is."""
    op.execute(STEPS)
