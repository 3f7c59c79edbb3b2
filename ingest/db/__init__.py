"""The database: its tables, how a release brings them up to date, and how a process connects."""
