-- owner: ingest
-- why:   who leaves by an outer door is out, and a cupboard has a contact too

SET LOCAL lock_timeout = '5s';

ALTER TABLE sensor ADD COLUMN is_outer boolean;

COMMENT ON COLUMN sensor.is_outer IS 'whether it is on an outer door, by which one leaves the home; null: its room''s name says so';
