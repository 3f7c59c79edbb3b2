-- owner: api
-- why:   a setup file that is run again must not undo what somebody has changed on a page since

SET LOCAL lock_timeout = '5s';

CREATE TABLE setup_said (
    subject text        NOT NULL,
    home    text,
    content jsonb       NOT NULL,
    said_at timestamptz NOT NULL,

    CONSTRAINT setup_said_is_kept_once_a_subject PRIMARY KEY (subject),
    CONSTRAINT setup_said_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home)
);

CREATE INDEX setup_said_of_a_home ON setup_said (home);

COMMENT ON TABLE  setup_said         IS 'what a setup file said the last time that it was written into the tables; where these say otherwise now, a person changed them since';
COMMENT ON COLUMN setup_said.subject IS 'what it is about, in words: home elm-3: resident';
COMMENT ON COLUMN setup_said.home    IS 'whose; empty: of no single home';
COMMENT ON COLUMN setup_said.content IS 'as the file had it; of a shift or a cover its number';
COMMENT ON COLUMN setup_said.said_at IS 'by the clock that homes are judged on';
