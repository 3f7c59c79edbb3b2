"""The pages show a certificate of their own, and a new one as soon as it is there."""

import ssl
import subprocess
from pathlib import Path

import pytest

from api.config import Config, NotConfigured
from api.tls import Certificate
from tests.integration.api.test_process import running
from tests.world.database import Database
from tests.world.processes import wait_until


def made(folder: Path, name: str = "telecare.example") -> Certificate:
    """Make a certificate and its key as a renewal does: written elsewhere, and moved into place."""
    new = folder / "new"
    new.mkdir(exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "30", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
         "-keyout", str(new / "key.pem"), "-out", str(new / "certificate.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    for file in ("key.pem", "certificate.pem"):
        (new / file).replace(folder / file)
    return Certificate(folder / "certificate.pem", folder / "key.pem")


def shown(pages: str) -> str | None:
    host, _, port = pages.partition("://")[2].rpartition(":")
    try:
        return ssl.get_server_certificate((host, int(port)), timeout=5).strip()
    except OSError:
        return None


def test_a_renewed_certificate_is_shown_and_a_damaged_one_is_not(database: Database, tmp_path: Path) -> None:
    """A certificate that ends turns every phone away at once; a restart would cut people off to prevent it."""
    first = made(tmp_path)
    with running(
        TELECARE_DATABASE_URL=database.dsn,
        TELECARE_API_CERTIFICATE=str(first.certificate),
        TELECARE_API_KEY=str(first.key),
        TELECARE_PUBLIC_URL="https://telecare.example",
    ) as (process, pages, _):
        before = first.certificate.read_text().strip()
        assert wait_until(lambda: shown(pages) == before)

        good = first.key.read_text()
        first.key.write_text("half of a key")
        first.key.write_text(good)
        after = made(tmp_path).certificate.read_text().strip()

        assert wait_until(lambda: shown(pages) == after)
        assert after != before
        assert process.poll() is None


@pytest.mark.parametrize("lacks", ["TELECARE_API_CERTIFICATE", "TELECARE_API_KEY"])
def test_half_of_it_is_said_before_anything_is_served(lacks: str, tmp_path: Path) -> None:
    """Pages in the clear, by a forgotten variable, would send people's sessions to whoever listens."""
    named = made(tmp_path)
    env = {
        "TELECARE_DATABASE_URL": "postgresql://a@b/c",
        "TELECARE_API_CERTIFICATE": str(named.certificate),
        "TELECARE_API_KEY": str(named.key),
    }

    assert Config.from_env(env).certificate == named
    with pytest.raises(NotConfigured, match="go together"):
        Config.from_env({name: said for name, said in env.items() if name != lacks})
    named.key.write_text("no key")
    with pytest.raises(NotConfigured, match="cannot be used"):
        Config.from_env(env)
