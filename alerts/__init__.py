"""From readings to a person who comes.

In: the stored log of ingest, lane by lane, and nothing else of it.  Out: alerts, notifications by text, and what
is true of each home now.  `judging` asks whether something is wrong, and is pure; `telling` sees to it that
someone knows; `store` is the SQL; `watch` is the loop.
Later stages may import `alert`, `store`, `judging`, `telling.replies` and `telling.sms`.
"""
