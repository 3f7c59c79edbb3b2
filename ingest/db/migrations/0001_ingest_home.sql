-- owner: ingest
-- why:   which homes there are, which hub speaks for each, and what its sensors are called

SET LOCAL lock_timeout = '5s';

CREATE TABLE home (
    home     text        NOT NULL,
    lane     smallint    NOT NULL,
    added_at timestamptz NOT NULL,

    CONSTRAINT home_is_known_once PRIMARY KEY (home),
    CONSTRAINT home_lane_is_one_of_64 CHECK (lane BETWEEN 0 AND 63),
    CONSTRAINT home_has_a_plain_name CHECK (home ~ '^[a-z0-9][a-z0-9-]{0,31}$')
);

COMMENT ON TABLE  home      IS 'a watched place; nothing here says who lives there';
COMMENT ON COLUMN home.lane IS 'for good: it is part of the topic of every message of the home';

CREATE TABLE hub (
    hub              text        NOT NULL,
    home             text,
    lane             smallint    NOT NULL,
    nats_hash        text        NOT NULL,
    mosquitto_hash   text        NOT NULL,
    added_at         timestamptz NOT NULL,
    revoked_at       timestamptz,

    CONSTRAINT hub_is_known_once PRIMARY KEY (hub),
    CONSTRAINT hub_speaks_for_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT hub_lane_is_one_of_64 CHECK (lane BETWEEN 0 AND 63),
    CONSTRAINT hub_has_a_plain_name CHECK (hub ~ '^[a-z0-9][a-z0-9-]{0,31}$')
);

COMMENT ON COLUMN hub.home IS 'null: it has no home yet, and its alarms go to the operator';
COMMENT ON COLUMN hub.lane IS 'its home''s';
COMMENT ON COLUMN hub.nats_hash IS 'bcrypt of a random secret, for the embedded broker and NATS clusters';
COMMENT ON COLUMN hub.mosquitto_hash IS 'PBKDF2-SHA512 of the same, for mosquitto';

CREATE INDEX hub_of_a_home ON hub (home);

CREATE TABLE sensor (
    home   text NOT NULL,
    sensor text NOT NULL,
    room   text,
    kind   text NOT NULL,

    CONSTRAINT sensor_is_known_once PRIMARY KEY (home, sensor),
    CONSTRAINT sensor_is_in_a_known_home FOREIGN KEY (home) REFERENCES home (home)
);

COMMENT ON COLUMN sensor.sensor IS 'as its hub calls it';
COMMENT ON COLUMN sensor.room   IS 'null: not known; its readings are stored without a room';
COMMENT ON COLUMN sensor.kind   IS 'motion, contact, pendant, climate ...: what it is, for people';
