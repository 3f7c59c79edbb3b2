-- owner: api
-- why:   who may see which home, who is signed in, and who looked

SET LOCAL lock_timeout = '5s';

CREATE TABLE access_grant (
    person       text        NOT NULL,
    home         text        NOT NULL,
    view         text        NOT NULL,
    given_at     timestamptz NOT NULL,
    given_by     text        NOT NULL,
    withdrawn_at timestamptz,

    CONSTRAINT access_grant_is_given_once PRIMARY KEY (person, home, view),
    CONSTRAINT access_grant_is_to_a_known_person FOREIGN KEY (person) REFERENCES person (person),
    CONSTRAINT access_grant_is_for_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT access_grant_view_is_known CHECK (view IN ('family', 'carer'))
);

CREATE TABLE login_link (
    token_sha256 bytea       NOT NULL,
    person       text        NOT NULL,
    made_at      timestamptz NOT NULL,
    valid_until  timestamptz NOT NULL,
    used_at      timestamptz,

    CONSTRAINT login_link_is_known_once PRIMARY KEY (token_sha256),
    CONSTRAINT login_link_is_for_a_known_person FOREIGN KEY (person) REFERENCES person (person)
);

COMMENT ON COLUMN login_link.valid_until IS 'in real time, like sessions: a link is not older because a demo runs fast';

CREATE TABLE login_request (
    phone_sha256   bytea       NOT NULL,
    address_sha256 bytea       NOT NULL,
    asked_at       timestamptz NOT NULL
);

CREATE INDEX login_request_of_a_phone_lately ON login_request (phone_sha256, asked_at DESC);
CREATE INDEX login_request_from_an_address_lately ON login_request (address_sha256, asked_at DESC);

COMMENT ON TABLE  login_request          IS 'to bound how many links one phone is texted and one address asks for; kept one day';
COMMENT ON COLUMN login_request.asked_at IS 'in real time';

CREATE TABLE session (
    token_sha256 bytea       NOT NULL,
    person       text        NOT NULL,
    made_at      timestamptz NOT NULL,
    valid_until  timestamptz NOT NULL,
    ended_at     timestamptz,

    CONSTRAINT session_is_known_once PRIMARY KEY (token_sha256),
    CONSTRAINT session_is_of_a_known_person FOREIGN KEY (person) REFERENCES person (person)
);

CREATE TABLE access_record (
    viewer  text        NOT NULL,
    home    text        NOT NULL,
    view    text        NOT NULL,
    quarter timestamptz NOT NULL,

    CONSTRAINT access_record_is_one_a_quarter PRIMARY KEY (home, viewer, view, quarter)
);

COMMENT ON TABLE  access_record         IS 'every look at a home, which the resident can have';
COMMENT ON COLUMN access_record.quarter IS 'the beginning of the quarter of an hour';
