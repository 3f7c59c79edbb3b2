"""What runs in the home, on the hub: equipment speaks to it, and it keeps what was said until the platform has it.

In: the home's own MQTT broker, where Zigbee2MQTT or the like publishes (`radio`).
Out: readings, alarms and heartbeats to the platform's broker (`publisher`), in the format of `wire`.
It promises: numbered on its own disk before it is sent; sent again until the platform says that it is
on the database's disk; kept for 30 days after that, because a restored database may ask again.
Later stages may import `reading`, `wire`, `heartbeat`, and the small doors that every process needs: `clock`,
`health` and `logs`, which live here because this is the first stage that needs them.
"""
