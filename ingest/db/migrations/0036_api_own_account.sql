-- owner: api
-- why:   whoever is signed in says which account at the identity provider is theirs; not every provider vouches for an address

SET LOCAL lock_timeout = '5s';

ALTER TABLE provider_log_in ADD COLUMN session_sha256 bytea;

COMMENT ON COLUMN provider_log_in.session_sha256 IS 'of the session whose person comes back to be bound; null: to be signed in';
COMMENT ON TABLE  provider_identity IS 'whom an identity provider means by a subject: bound by a verified e-mail address at the first log-in, or by the person while signed in';
