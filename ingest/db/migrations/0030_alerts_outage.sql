-- owner: alerts
-- why:   one power cut of a district is one outage and one message, and each home's story says so

SET LOCAL lock_timeout = '5s';

CREATE TABLE outage (
    outage   bigint      GENERATED ALWAYS AS IDENTITY,
    area     text        NOT NULL,
    alert    bigint      NOT NULL,
    ended_at timestamptz,

    CONSTRAINT outage_is_known_once PRIMARY KEY (outage),
    CONSTRAINT outage_is_told_by_an_alert FOREIGN KEY (alert) REFERENCES alert (alert)
);

CREATE INDEX outage_that_lasts ON outage (area) WHERE ended_at IS NULL;

COMMENT ON TABLE  outage          IS 'hubs that fell silent together, with what they share: told to the operator once';
COMMENT ON COLUMN outage.area     IS 'district:LS6 or group:mill-lane';
COMMENT ON COLUMN outage.ended_at IS 'when the last of its hubs was heard again; null: it lasts';

CREATE TABLE outage_home (
    alert     bigint      NOT NULL,
    outage    bigint      NOT NULL,
    home      text        NOT NULL,
    since     timestamptz NOT NULL,
    joined_at timestamptz NOT NULL,
    back_at   timestamptz,

    CONSTRAINT outage_home_belongs_to_one_outage PRIMARY KEY (alert),
    CONSTRAINT outage_home_is_of_an_outage FOREIGN KEY (outage) REFERENCES outage (outage),
    CONSTRAINT outage_home_is_of_an_alert FOREIGN KEY (alert) REFERENCES alert (alert),
    CONSTRAINT outage_home_is_a_known_home FOREIGN KEY (home) REFERENCES home (home)
);

CREATE INDEX outage_home_of_an_outage ON outage_home (outage);
CREATE INDEX outage_home_that_is_away ON outage_home (home) WHERE back_at IS NULL;

COMMENT ON COLUMN outage_home.alert   IS 'of its hub''s silence, which is told with the outage';
COMMENT ON COLUMN outage_home.since   IS 'when the hub was last heard';
COMMENT ON COLUMN outage_home.back_at IS 'when it was heard again; null: it is silent';
