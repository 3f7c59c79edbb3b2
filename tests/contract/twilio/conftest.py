"""Prism, which judges requests and answers by the OpenAPI that Twilio itself publishes."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.embedded import machine
from gateway.clock import monotonic_s

_NODE = Path(__file__).parents[2] / "node_modules"
_PRISM = _NODE / ".bin" / "prism"
_OPENAPI = _NODE / "@twilio" / "cli-core" / "src" / "services" / "twilio-api" / "twilio_api_v2010.json"
# Node reads and compiles Twilio's whole OpenAPI first: 5 s on a quiet machine (2026-11).
_START_S = 90.0

Prism = Callable[..., str]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _with_relative_pages(openapi: str) -> str:
    """Return the OpenAPI without its claim that a page's addresses are absolute.

    Twilio's own examples in it are relative, as its answers are, and its client reads only such.
    """
    content = json.loads(openapi)
    listed = content["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]["responses"]["200"]
    properties = listed["content"]["application/json"]["schema"]["properties"]
    for name in ("first_page_uri", "next_page_uri", "previous_page_uri", "uri"):
        assert properties[name].pop("format") == "uri"
    return json.dumps(content)


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prism]:
    """Return what starts Prism, as `mock` or as `proxy` before an address, and returns its own address."""
    missing = [str(path) for path in (_PRISM, _OPENAPI) if not path.exists()]
    if missing or shutil.which("node") is None:
        sentence = "Prism and Twilio's OpenAPI are not installed; `deploy/telecare test` installs them"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    openapi = tmp_path_factory.mktemp("openapi") / "twilio.json"
    openapi.write_text(_with_relative_pages(_OPENAPI.read_text()))
    started: list[subprocess.Popen[bytes]] = []

    def start(*mode: str) -> str:
        port = machine.free_port()
        command = [str(_PRISM), mode[0], "-p", str(port), "-h", "127.0.0.1", "--errors", str(openapi), *mode[1:]]
        said = tmp_path_factory.mktemp("prism") / "log"
        with said.open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        started.append(process)
        deadline = monotonic_s() + _START_S
        while not _listens(port):
            assert process.poll() is None, said.read_text()
            assert monotonic_s() < deadline, said.read_text()
            time.sleep(0.1)
        return f"http://127.0.0.1:{port}"

    yield start
    for process in started:
        process.terminate()
        process.wait(60)
