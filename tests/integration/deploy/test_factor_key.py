"""Has a platform on one machine a key of its own for second factors, and the same one tomorrow?"""

import contextlib
from pathlib import Path

import pytest

from api.signing_in.sealing import keys_of
from deploy.platform import Platform
from deploy.supervise import Supervisor


def _key(data: Path, **environment: str) -> str | None:
    with Supervisor(data / "logs", tell=lambda *_: None) as supervisor:
        platform = Platform(supervisor, data, environment=environment, say=lambda *_: None)
        platform.process("api", "api")
        platform.process("alerts", "alerts")
        # What only the pages need is given to nobody else.
        assert environment or "TELECARE_FACTOR_KEY" not in platform.variables("alerts")
        return platform.variables("api").get("TELECARE_FACTOR_KEY")


def test_a_key_is_made_once_and_kept_where_only_its_owner_reads(tmp_path: Path) -> None:
    """Another key tomorrow would make every authenticator worthless."""
    first, second = _key(tmp_path), _key(tmp_path)

    assert first == second
    assert [len(key) for key in keys_of(first or "")] == [32]
    assert (tmp_path / "kept.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["TELECARE_FACTOR_KEY", "TELECARE_FACTOR_KEY_FILE"])
def test_a_key_that_is_configured_is_not_replaced(tmp_path: Path, name: str) -> None:
    """A site keeps its own with its backups."""
    file = tmp_path / "factor-key"
    file.write_text("of the site\n")
    told = {name: str(file) if name.endswith("_FILE") else "of the site"}

    assert _key(tmp_path, **told) == "of the site"
    with contextlib.suppress(FileNotFoundError):
        assert "factor key" not in (tmp_path / "kept.json").read_text()
