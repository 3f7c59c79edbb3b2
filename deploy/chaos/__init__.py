"""What happens to the promises when everything that can go wrong does?  `telecare chaos`.

A street of simulated homes with real gateways, a real broker, ingest, judgement, pages, PostgreSQL and pretend phones;
residents press, families look, carers answer.  One fault after the other is done to it, chosen by chance from a seed,
and counts only if it bit.  At the end the sensors' diary and the hubs' cards are held against the table and the
phones: nothing lost, nothing doubled, no alarm untold, and no home shown as seen when nothing of it could arrive.

Time runs faster than real: what a hub promises in minutes is broken in seconds.
"""
