-- owner: api
-- why:   a session ends by itself; staff sign in with a password and a second factor, or at their employer's

SET LOCAL lock_timeout = '5s';

COMMENT ON TABLE  login_request              IS 'to bound how many links one phone or mailbox is sent and one address asks for; kept one day';
COMMENT ON COLUMN login_request.phone_sha256 IS 'of the phone in E.164, or of the e-mail address in small letters; known or not';

ALTER TABLE session
    ADD COLUMN number  bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN used_at timestamptz,
    ADD COLUMN way     text NOT NULL DEFAULT 'link',
    ADD COLUMN browser text,
    ADD CONSTRAINT session_way_is_known CHECK (way IN ('link', 'password', 'provider'));

CREATE INDEX session_of_a_person ON session (person, made_at);

COMMENT ON COLUMN session.number  IS 'what its owner ends it by; opens nothing';
COMMENT ON COLUMN session.used_at IS 'in real time, to the minute; null: not since it was made';
COMMENT ON COLUMN session.way     IS 'a one-time link, a password with a second factor, or an identity provider';
COMMENT ON COLUMN session.browser IS 'as its owner knows it: Firefox on Android; never the whole of what a browser sends';

CREATE TABLE second_factor (
    person        text        NOT NULL,
    secret_sealed bytea       NOT NULL,
    added_at      timestamptz NOT NULL,
    last_step     bigint      NOT NULL,

    CONSTRAINT second_factor_is_one_a_person PRIMARY KEY (person),
    CONSTRAINT second_factor_is_of_a_known_person FOREIGN KEY (person) REFERENCES person (person)
);

COMMENT ON TABLE  second_factor               IS 'the secret that somebody''s authenticator shares with us (RFC 6238)';
COMMENT ON COLUMN second_factor.secret_sealed IS 'AES-256-GCM under a key that is not in the database';
COMMENT ON COLUMN second_factor.last_step     IS 'the newest step of 30 s since 1970 whose code was taken; none up to it is taken again';

CREATE TABLE second_factor_offer (
    person        text        NOT NULL,
    secret_sealed bytea       NOT NULL,
    made_at       timestamptz NOT NULL,

    CONSTRAINT second_factor_offer_is_one_a_person PRIMARY KEY (person),
    CONSTRAINT second_factor_offer_is_to_a_known_person FOREIGN KEY (person) REFERENCES person (person)
);

COMMENT ON TABLE second_factor_offer IS 'a secret that was shown and is not confirmed by a code yet';

CREATE TABLE password (
    person text        NOT NULL,
    hash   text        NOT NULL,
    set_at timestamptz NOT NULL,

    CONSTRAINT password_is_one_a_person PRIMARY KEY (person),
    CONSTRAINT password_is_never_without_a_second_factor FOREIGN KEY (person) REFERENCES second_factor (person),
    CONSTRAINT password_is_kept_as_argon2id CHECK (hash LIKE '$argon2id$%')
);

CREATE TABLE recovery_code (
    person      text  NOT NULL,
    code_sha256 bytea NOT NULL,
    used_at     timestamptz,

    CONSTRAINT recovery_code_is_one_of_a_person PRIMARY KEY (person, code_sha256),
    CONSTRAINT recovery_code_is_of_a_second_factor FOREIGN KEY (person) REFERENCES second_factor (person) ON DELETE CASCADE
);

COMMENT ON TABLE recovery_code IS '80 random bits each, shown once on paper; opens once in place of an authenticator''s code';

CREATE TABLE login_attempt (
    attempt        bigint GENERATED ALWAYS AS IDENTITY,
    account_sha256 bytea       NOT NULL,
    address_sha256 bytea       NOT NULL,
    tried_at       timestamptz NOT NULL,

    CONSTRAINT login_attempt_is_counted_once PRIMARY KEY (attempt)
);

CREATE INDEX login_attempt_on_an_account_lately ON login_attempt (account_sha256, tried_at DESC);
CREATE INDEX login_attempt_from_an_address_lately ON login_attempt (address_sha256, tried_at DESC);

COMMENT ON TABLE  login_attempt          IS 'passwords and codes that were wrong, on accounts known or not; kept one day';
COMMENT ON COLUMN login_attempt.tried_at IS 'in real time';

CREATE TABLE provider_log_in (
    state_sha256   bytea       NOT NULL,
    browser_sha256 bytea       NOT NULL,
    valid_until    timestamptz NOT NULL,

    CONSTRAINT provider_log_in_is_known_once PRIMARY KEY (state_sha256)
);

COMMENT ON TABLE  provider_log_in                IS 'log-ins that were sent on to the identity provider and are not back yet';
COMMENT ON COLUMN provider_log_in.browser_sha256 IS 'of a cookie, from which nonce and verifier are made too: only that browser can come back';

CREATE TABLE provider_identity (
    issuer   text        NOT NULL,
    subject  text        NOT NULL,
    person   text        NOT NULL,
    bound_at timestamptz NOT NULL,

    CONSTRAINT provider_identity_is_one_person PRIMARY KEY (issuer, subject),
    CONSTRAINT provider_identity_is_one_a_person UNIQUE (issuer, person),
    CONSTRAINT provider_identity_is_of_a_known_person FOREIGN KEY (person) REFERENCES person (person)
);

COMMENT ON TABLE provider_identity IS 'whom an identity provider means by a subject: bound by a verified e-mail address at the first log-in, by the subject from then on';
