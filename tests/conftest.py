"""What every test may ask for by name."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.world.database", "tests.world.broker", "tests.world.cluster", "tests.world.phones"]

# These machines are shared and noisy: how long one example takes says nothing about our code.
settings.register_profile("telecare", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("telecare")
