"""Does the process refuse what would put people at risk, in a sentence?"""

from pathlib import Path

import pytest

from api.config import Config, NotConfigured

_GOOD = {"TELECARE_DATABASE_URL": "postgresql://db/telecare"}


@pytest.mark.parametrize(
    "url", ["https://care.example", "http://127.0.0.1:8420", "http://localhost:8080", "http://[::1]:80"]
)
def test_an_address_that_keeps_sessions_safe_is_taken(url: str) -> None:
    """It is https for people; the machine's own loopback for a demo."""
    assert Config.from_env({**_GOOD, "TELECARE_PUBLIC_URL": f"{url}/"}).public_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://care.example",
        "http://192.168.1.2:8080",
        "ftp://care.example",
        "care.example",
        "https://",
        "http://[x",
        "https://care.example/telecare",
        "http://127.0.0.1.evil.example",
    ],
)
def test_an_address_in_the_clear_is_refused(url: str) -> None:
    """A session cookie on a plain line is a key to somebody's home."""
    with pytest.raises(NotConfigured, match="TELECARE_PUBLIC_URL"):
        Config.from_env({**_GOOD, "TELECARE_PUBLIC_URL": url})


def test_without_a_database_nothing_starts() -> None:
    """The sentence names the variable."""
    with pytest.raises(NotConfigured, match="TELECARE_DATABASE_URL"):
        Config.from_env({})


def test_without_twilio_it_starts_and_knows_it() -> None:
    """A supported state, that the pages say loudly."""
    assert Config.from_env(_GOOD).texts is None


def test_half_of_twilio_is_refused() -> None:
    """Whoever set one of them meant all of them."""
    with pytest.raises(NotConfigured, match="TELECARE_TWILIO_AUTH_TOKEN"):
        Config.from_env({**_GOOD, "TELECARE_TWILIO_ACCOUNT_SID": "AC" + "0" * 32})


def test_secrets_are_not_in_what_is_printed() -> None:
    """A configuration ends up in a log sooner or later."""
    config = Config.from_env({"TELECARE_DATABASE_URL": "postgresql://u:hunter2@db/t"})

    assert "hunter2" not in repr(config)


def test_the_token_may_stand_in_a_file(tmp_path: Path) -> None:
    """A secret in a file is seen by one account, one in an environment by many."""
    file = tmp_path / "token"
    file.write_text("secret\n")
    twilio = {"TELECARE_TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TELECARE_TWILIO_FROM": "+447700900000"}
    said = {**_GOOD, **twilio, "TELECARE_PUBLIC_URL": "https://care.example"}

    config = Config.from_env({**said, "TELECARE_TWILIO_AUTH_TOKEN_FILE": str(file)})

    assert config.texts is not None
    assert config.texts.auth_token == "secret"
    with pytest.raises(NotConfigured, match="cannot be read"):
        Config.from_env({**said, "TELECARE_TWILIO_AUTH_TOKEN_FILE": str(tmp_path / "none")})
