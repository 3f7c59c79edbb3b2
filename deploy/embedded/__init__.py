"""A PostgreSQL with TimescaleDB and an MQTT broker of our own, for when none is configured.

Everything here runs without root; as root it uses an unprivileged account.  What a machine lacks is said in
one sentence with the way to get it: `machine.Missing`.
"""
