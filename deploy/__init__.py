"""How the four are run together: the command line, the embedded database and broker, the demo, and the runbook."""
