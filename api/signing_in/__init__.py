"""How does somebody prove who they are: by a link, by a password with a second factor, or at their employer's?

Whoever is let in gets a session (`sessions`).  Everything here is on real time: a link is not older because a demo runs
fast.  Nothing that opens a door is kept in the clear.
"""
