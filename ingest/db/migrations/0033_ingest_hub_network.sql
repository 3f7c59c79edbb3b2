-- owner: ingest
-- why:   hubs on one network fall silent together, wherever their homes are

SET LOCAL lock_timeout = '5s';

ALTER TABLE hub
    ADD COLUMN network text,
    ADD CONSTRAINT hub_network_is_a_short_name CHECK (network ~ '^[a-z0-9][a-z0-9-]{0,31}$');

COMMENT ON COLUMN hub.network IS 'what carries its line to us, as whoever installed it named it; null: nobody said';
