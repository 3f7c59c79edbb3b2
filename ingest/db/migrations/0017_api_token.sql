-- owner: api
-- why:   programs read and answer for a person, with less than that person may do, until a day that was set

SET LOCAL lock_timeout = '5s';

CREATE TABLE api_token (
    name         text        NOT NULL,
    token_sha256 bytea       NOT NULL,
    person       text        NOT NULL,
    scopes       text[]      NOT NULL,
    homes        text[],
    made_at      timestamptz NOT NULL,
    made_by      text        NOT NULL,
    valid_until  timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz,

    CONSTRAINT api_token_has_a_name_of_its_own PRIMARY KEY (name),
    CONSTRAINT api_token_is_known_once UNIQUE (token_sha256),
    CONSTRAINT api_token_has_a_plain_name CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    CONSTRAINT api_token_has_something_to_do CHECK (cardinality(scopes) > 0),
    CONSTRAINT api_token_speaks_for_a_known_person FOREIGN KEY (person) REFERENCES person (person)
);

COMMENT ON TABLE  api_token              IS 'a program''s key; it opens no more than its person may see';
COMMENT ON COLUMN api_token.token_sha256 IS 'who reads the database cannot use it';
COMMENT ON COLUMN api_token.homes        IS 'null: every home that its person may see';
COMMENT ON COLUMN api_token.made_at      IS 'by the system''s clock, as are the other moments here';
COMMENT ON COLUMN api_token.last_used_at IS 'to the minute';
