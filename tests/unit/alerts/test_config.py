"""What alerts is told by its environment."""

from pathlib import Path

import pytest

from alerts.config import BadConfig, Config

TWILIO = {
    "TELECARE_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TELECARE_TWILIO_AUTH_TOKEN": "secret",
    "TELECARE_TWILIO_FROM": "+447700900000",
    "TELECARE_PUBLIC_URL": "https://care.example/",
}
LEAST = {"TELECARE_DATABASE_URL": "postgresql://x"}


def test_a_database_is_all_it_needs() -> None:
    """Without Twilio it runs, and says loudly that nobody can be texted."""
    config = Config.from_env(LEAST)

    assert (config.twilio, config.lanes, config.health.host) == (None, 64, "127.0.0.1")


def test_the_token_may_stand_in_a_file(tmp_path: Path) -> None:
    """An environment can be read by whoever lists processes; a file can be kept."""
    file = tmp_path / "token"
    file.write_text("from a file\n")
    env = {**LEAST, **TWILIO, "TELECARE_TWILIO_AUTH_TOKEN": "", "TELECARE_TWILIO_AUTH_TOKEN_FILE": str(file)}

    config = Config.from_env(env)

    assert config.twilio is not None
    assert (config.twilio.auth_token, config.twilio.public_url) == ("from a file", "https://care.example")


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"TELECARE_DATABASE_URL": ""}, "TELECARE_DATABASE_URL"),
        ({"TELECARE_TWILIO_ACCOUNT_SID": "AC1"}, "TELECARE_TWILIO_AUTH_TOKEN"),
        ({**TWILIO, "TELECARE_PUBLIC_URL": ""}, "TELECARE_PUBLIC_URL"),
        ({"TELECARE_ALERTS_HEALTH": "nowhere"}, "nowhere"),
        ({"TELECARE_LANES": "65"}, "TELECARE_LANES"),
        ({"TELECARE_LANES": "all"}, "TELECARE_LANES"),
        ({**TWILIO, "TELECARE_TWILIO_AUTH_TOKEN_FILE": "/nowhere"}, "TELECARE_TWILIO_AUTH_TOKEN_FILE"),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, str], word: str) -> None:
    """Whoever set it up finds the variable in the one sentence."""
    with pytest.raises(BadConfig, match=word):
        Config.from_env({**LEAST, **wrong})


def test_no_secret_is_shown() -> None:
    """A configuration ends up in a traceback sooner or later."""
    assert "secret" not in repr(Config.from_env({**LEAST, **TWILIO}))
