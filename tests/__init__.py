"""The tests: unit, contract, integration, e2e, chaos and bench, and the world that they share."""
