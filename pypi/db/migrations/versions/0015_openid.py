"""Sign-in with an OpenID Connect provider: whom it calls what, and what is under way with it."""

from alembic import op

revision = "0015"
down_revision = "0014"

STEPS = """
-- Somebody is who a provider says by issuer and subject, and by nothing else: addresses change hands.
-- ``called`` is what the provider called them when they were linked, for their own eyes.
CREATE TABLE external_identities (
    issuer    text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
    subject   text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    id        bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    user_id   bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    called    text NOT NULL DEFAULT '' CHECK (length(called) <= 254),
    linked    timestamptz NOT NULL,
    last_used timestamptz,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX external_identities_user ON external_identities (user_id);

-- Somebody who was sent to the provider, and has to come back in the same browser: ``browser`` is the digest
-- of what its cookie holds. With ``user_id`` an account that is signed in wants to be linked. Nonce and
-- verifier are good for nothing without the code that the provider hands to that browser.
CREATE TABLE openid_asked (
    state    bytea PRIMARY KEY CHECK (length(state) = 32),
    browser  bytea NOT NULL CHECK (length(browser) = 32),
    user_id  bigint REFERENCES users ON DELETE CASCADE,
    nonce    text NOT NULL CHECK (length(nonce) <= 100),
    verifier text NOT NULL CHECK (length(verifier) <= 128),
    next     text NOT NULL CHECK (length(next) <= 2000),
    created  timestamptz NOT NULL,
    expires  timestamptz NOT NULL
);
CREATE INDEX openid_asked_expires ON openid_asked (expires);
CREATE INDEX openid_asked_user ON openid_asked (user_id) WHERE user_id IS NOT NULL;

-- Somebody whom the provider knows and nobody here does, and who has yet to say what the account is called.
CREATE TABLE openid_newcomers (
    browser bytea PRIMARY KEY CHECK (length(browser) = 32),
    issuer  text NOT NULL,
    subject text NOT NULL,
    about   jsonb NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX openid_newcomers_expires ON openid_newcomers (expires);
"""


def upgrade() -> None:
    """Make the tables; nothing that is there changes."""
    op.execute(STEPS)
