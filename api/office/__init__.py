"""What do operators keep: people, homes, consents, hubs and the rota?

One set of functions for the operator's pages, the command line and the setup file: each checks all that was written,
says everything that is wrong at once, writes in one transaction, and leaves a change record.
"""
