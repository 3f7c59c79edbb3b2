"""Who watches us?  A small program of its own that looks at our processes and texts the operator when one stands still.

It needs no database and nothing of ours beside the door to Twilio, so that it can stand on another machine and goes on
when everything else has stopped.  That a port is open proves nothing: it looks at how far each process has come.  While
all is well, and only then, it calls an outside address (a dead-man's switch), which rings when the calls cease; so the
watcher's own death is seen too.
"""
