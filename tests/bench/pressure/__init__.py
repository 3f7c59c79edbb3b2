"""What do broker, ingest, alerts and a gateway need, and forget, when everything comes at once?

Run by hand, one at a time: `nice -n 10 python -m tests.bench.pressure away|three-days|hubs|flood|alerts`.  Real
processes over a real PostgreSQL with TimescaleDB and nats-server, all on this machine; memory is the resident set of
one process, looked at twice a second.  Each case says how it goes on, ends by itself within a bound, and exits with 1
where something was forgotten, doubled, or told to the wrong phone.
"""
