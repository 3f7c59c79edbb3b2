"""What ingest can be told, and how it says that it was told wrong."""

from pathlib import Path

import pytest

from gateway.health import Address
from ingest.config import Config, Misconfigured

ENOUGH = {"TELECARE_DATABASE_URL": "postgresql://db/telecare", "TELECARE_BROKER": "broker:1883"}


def test_a_database_and_a_broker_are_enough() -> None:
    """Everything else has a value that is right for one worker on one machine."""
    config = Config.from_env(ENOUGH)

    assert (config.lanes, config.broker.addresses, config.broker.user) == (64, (Address("broker", 1883),), None)


def test_a_password_may_be_in_a_file(tmp_path: Path) -> None:
    """An environment can be read by more people than a file."""
    (tmp_path / "secret").write_text("hush\n")

    config = Config.from_env(ENOUGH | {"TELECARE_BROKER_PASSWORD_FILE": str(tmp_path / "secret")})

    assert config.broker.password == "hush"


def test_no_secret_is_shown() -> None:
    """A configuration ends up in logs and reports."""
    config = Config.from_env(ENOUGH | {"TELECARE_BROKER_PASSWORD": "hush"})

    assert "hush" not in repr(config)
    assert "db/telecare" not in repr(config)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELECARE_DATABASE_URL", ""),
        ("TELECARE_BROKER", ""),
        ("TELECARE_BROKER", "broker"),
        ("TELECARE_BROKER_PASSWORD_FILE", "/nowhere/at/all"),
        ("TELECARE_BROKER_TLS", "/nowhere/at/all"),
        ("TELECARE_INGEST_HEALTH", "8431"),
        ("TELECARE_LANES", "65"),
        ("TELECARE_LANES", "many"),
        ("TELECARE_INGEST_TICK_S", "0"),
        ("TELECARE_INGEST_ANSWER_S", "nan"),
        ("TELECARE_INGEST_WAITING_MB", "0"),
    ],
)
def test_each_wrong_value_is_one_sentence_that_names_it(name: str, value: str) -> None:
    """Whoever starts it must know what to change."""
    with pytest.raises(Misconfigured, match=rf"^{name}.*\.$"):
        Config.from_env(ENOUGH | {name: value})
