"""What every test may ask for by name."""

pytest_plugins = ["tests.world.database", "tests.world.broker", "tests.world.phones"]
