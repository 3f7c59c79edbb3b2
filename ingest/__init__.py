"""From the broker to the disk: what hubs send becomes durable here, once, and the database is owned here.

In: packs, asks and heartbeats over MQTT (`subscriber`).  Out: the reading table, the stored log that alerts
follows, and `stored through` back to each hub, said only after the commit.
Later stages may import `entry`, `stored_log`, `readings`, `devices`, `lanes` and `db.pool`.
"""
