"""Do the files with which a site runs us fit what we are?  No engine is needed to find that they do not."""

import configparser
import functools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # read here only
from prometheus_client import Counter

from alerts import metrics as alerts_metrics
from api import measured
from deploy.embedded.broker import PAYLOAD_BYTES_MAX
from tests.unit import test_docs

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
RULES_TEST = Path(__file__).with_name("alerts_test.yml")
SITE = (DEPLOY / "site.md").read_text()
PROCESSES = {"gateway", "ingest", "alerts", "api", "watcher"}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))

# Never a label: a home, a hub or a person would make a series each, and put people into graphs.
LABELS = {"stream", "leaf", "door", "became", "question", "answer", "way", "what"}


def _yaml(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return read


def _rules() -> list[dict[str, Any]]:
    return [rule for group in _yaml("prometheus/alerts.yml")["groups"] for rule in group["rules"]]


def _panels() -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = json.loads((DEPLOY / "grafana" / "telecare.json").read_text())["panels"]
    return [panel for panel in panels if panel["type"] != "row"]


def _named(expression: str) -> set[str]:
    """Return our metrics in an expression, a histogram's series under its own name."""
    series = re.findall(r"\btelecare_\w+", expression)
    return {re.sub(r"(?<=_seconds)_(bucket|count|sum)$", "", one) for one in series}


def _tokens(unit: Path) -> dict[str, list[str]]:
    """Return each setting of a unit's service with all its values."""
    read: dict[str, list[str]] = {}
    body = unit.read_text().partition("[Service]")[2].partition("[Install]")[0]
    for line in body.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            read.setdefault(name, []).append(value)
    return read


@functools.cache
def _known() -> set[str]:
    """Return every variable that the code reads; a hub's key of a table is one, too."""
    code = [path.read_text() for path in test_docs.sources() if path.suffix == ".py"]
    known = set[str]().union(*(test_docs.variables(text) for text in code))
    return known | {f"{name}_FILE" for name in known} | {"TELECARE_OUTBOX_PATH"}


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/usr/local/bin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


# Prometheus and Grafana.


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_metrics_that_we_have(rule: dict[str, Any]) -> None:
    """A rule about a metric that was renamed never rings."""
    assert _named(rule["expr"]) <= test_docs.metrics()
    assert _named(rule["expr"]) or "up{" in rule["expr"]


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["alert"])
def test_a_rule_is_named_as_its_heading_and_leads_there(rule: dict[str, Any]) -> None:
    """Whoever is woken reads the name first, and must find the page by it."""
    heading = re.sub(r"(?<!^)(?=[A-Z])", " ", rule["alert"]).casefold().replace(" ", "-")

    assert rule["annotations"]["runbook_url"] == f"runbook.md#{heading}"
    assert heading in {title.casefold().replace(" ", "-") for title in test_docs.alarm_sections()}
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_whatever_the_runbook_wakes_somebody_for_has_a_rule() -> None:
    """The table says `wake somebody for the first eight`; a rule that is missing sleeps through them."""
    table = test_docs.RUNBOOK.partition("## Every metric")[2]
    rows = re.findall(r"^\| (`telecare_\w+`.*?) \|", table, flags=re.MULTILINE)[:8]
    wakes = [metric for row in rows for metric in re.findall(r"telecare_\w+", row)]
    asked = set().union(*(_named(rule["expr"]) for rule in _rules() if rule["labels"]["severity"] == "page"))

    assert set(wakes) <= asked


@pytest.mark.parametrize("panel", _panels(), ids=lambda panel: panel["title"])
def test_a_panel_asks_for_metrics_that_we_have(panel: dict[str, Any]) -> None:
    """An empty graph looks like a calm one."""
    for target in panel["targets"]:
        assert _named(target["expr"]) <= test_docs.metrics()
    assert panel["description"]


def test_no_metric_is_labelled_with_a_home_or_a_person() -> None:
    """Ten thousand homes would be ten thousand series, and a graph would show who lives how."""
    labels = set()
    for _, tree in test_docs.trees():
        for call in test_docs.calls(tree, "Counter", "Gauge", "Histogram"):
            if test_docs.text_of(call.args[0] if call.args else None) is not None and len(call.args) > 2:
                labels |= {test_docs.text_of(one) for one in getattr(call.args[2], "elts", [])}

    assert labels <= LABELS
    assert labels


def test_prometheus_looks_where_compose_has_the_processes_answer() -> None:
    """A port that was changed in one file is a process that nobody watches."""
    services = _yaml("compose.yaml")["services"]
    scraped = {
        target
        for job in _yaml("prometheus/prometheus.yml")["scrape_configs"]
        for there in job.get("static_configs", [])
        for target in there["targets"]
    }
    answer = {
        f"{name}:{said.rpartition(':')[2]}"
        for name, service in services.items()
        for variable, said in (service.get("environment") or {}).items()
        if variable.endswith("_HEALTH") and not said.startswith("127.")
    }

    assert scraped == answer
    assert {target.partition(":")[0] for target in scraped} == PROCESSES - {"gateway"} | {"backup"}


def test_promtool_takes_the_rules() -> None:
    """A rule that does not parse takes all the others with it."""
    rules = DEPLOY / "prometheus" / "alerts.yml"
    done = subprocess.run([_program("promtool"), "check", "rules", str(rules)], capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode()


def test_each_rule_rings_when_it_must_and_is_still_otherwise() -> None:
    """A rule that parses and never rings is found out in the night in which it should have."""
    done = subprocess.run(
        [_program("promtool"), "test", "rules", str(RULES_TEST)], capture_output=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def test_no_rule_goes_untried() -> None:
    """A rule without a test of its own rings when it likes."""
    tried = set()
    for test in yaml.safe_load(RULES_TEST.read_text())["tests"]:
        checks = test.get("alert_rule_test", [])
        tried |= {one["alertname"] for one in checks if one["exp_alerts"]}
        assert [bool(one["exp_alerts"]) for one in checks] in ([False, True], []), test["name"]

    assert tried == {rule["alert"] for rule in _rules()}


@pytest.mark.parametrize(
    ("counter", "label"),
    [(alerts_metrics.TEXTS, "refused"), (alerts_metrics.TEXTS, "no answer"), (measured.REQUESTS, "5xx")],
)
def test_what_a_rule_waits_for_is_counted_from_the_start(counter: Counter, label: str) -> None:
    """Prometheus sees no rise in a series that begins with 1: the first refused text would wake nobody."""
    assert label in {value for metric in counter.collect() for one in metric.samples for value in one.labels.values()}


# Compose.


def test_compose_takes_the_file_with_the_variables_that_the_page_names() -> None:
    """Whoever follows the page must get past its third line."""
    asked_for = re.findall(r"`([A-Z][A-Z_]+)`", SITE.partition("1. `deploy/.env`")[2].partition("\n2. ")[0])
    # Debian's docker-compose 1.29 is older than this key, which names the project alone.
    file = re.sub(r"^name: .*$", "", (DEPLOY / "compose.yaml").read_text(), flags=re.MULTILINE)
    command = [_program("docker-compose"), "-f", "-", "--project-directory", str(DEPLOY)]
    environment = {"PATH": "/usr/bin:/bin", **dict.fromkeys(asked_for, "x")}

    for profiles in ((), ("--profile", "watch", "--profile", "hub")):
        done = subprocess.run(
            [*command, *profiles, "config"], input=file, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "variable is not set" not in done.stderr

    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == set(_yaml("compose.yaml")["services"])
    secrets = {Path(one["file"]).name for one in yaml.safe_load(done.stdout)["secrets"].values()}
    assert {name for name in secrets | {"broker.crt", "broker.key"} if name not in SITE} == set()


def test_compose_runs_every_process_from_one_image() -> None:
    """A service that is forgotten is a part of the path that nobody started."""
    services = _yaml("compose.yaml")["services"]
    ours = {name: service for name, service in services.items() if "build" in service}

    assert {service["command"][0] for service in ours.values()} >= PROCESSES
    assert {service["build"]["dockerfile"] for service in ours.values()} == {"deploy/Dockerfile"}
    assert len({service["image"] for service in ours.values()}) == 1


@pytest.mark.parametrize("name", sorted(_yaml("compose.yaml")["services"]))
def test_a_container_is_pinned_and_may_gain_nothing(name: str) -> None:
    """What is broken into must find nothing to go on with, and tomorrow's image is not today's."""
    service = _yaml("compose.yaml")["services"][name]

    assert re.fullmatch(r"[\w./-]+:v?\d[\w.-]*", service["image"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "restart" in service
    assert service["logging"]["options"]["max-size"]
    if "build" in service:
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def test_compose_has_no_secret_and_no_unknown_variable() -> None:
    """A password in a file of the repository is everybody's; a variable that nothing reads is set in vain."""
    for name, service in _yaml("compose.yaml")["services"].items():
        for variable, said in (service.get("environment") or {}).items():
            if variable.startswith("TELECARE_"):
                assert variable in _known(), name
            if re.search("PASSWORD|TOKEN|SECRET", variable):
                assert said.startswith(("${", "/run/secrets/")), f"{name}: {variable}"


def test_everything_that_compose_mounts_is_there_or_is_a_secret() -> None:
    """A path that does not exist becomes an empty folder, without a word."""
    compose = _yaml("compose.yaml")
    mounts = [m for service in compose["services"].values() for m in service.get("volumes", [])]
    places = [mount.split(":")[0] for mount in mounts]

    for place in places:
        if place.startswith("./") and not place.startswith("./secrets/"):
            assert (DEPLOY / place).exists(), place
        elif not place.startswith("./"):
            assert place in compose["volumes"], place


def test_the_image_copies_what_is_there_and_what_is_packed() -> None:
    """A package that is not copied is missing only when the image starts."""
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    sources = {one for line in copied for one in line.split()}

    assert all((DEPLOY.parent / one).exists() for one in sources)
    assert {path.relative_to(DEPLOY.parent).parts[0] for path in test_docs.PACKAGES} <= sources


def test_the_broker_takes_the_largest_pack() -> None:
    """A pack that the broker refuses is sent again for ever."""
    said = re.search(r"^max_payload: (\d+)$", (DEPLOY / "broker" / "nats.conf").read_text(), flags=re.MULTILINE)

    assert said is not None
    assert int(said[1]) == PAYLOAD_BYTES_MAX


# systemd.


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_may_do_nothing_that_it_need_not(unit: Path) -> None:
    """These processes hold what happens in people's homes."""
    said = _tokens(unit)
    wanted = {
        "DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes",
        "PrivateTmp": "yes", "PrivateDevices": "yes", "ProtectKernelTunables": "yes", "ProtectControlGroups": "yes",
        "RestrictNamespaces": "yes", "CapabilityBoundingSet": "", "SystemCallArchitectures": "native",
        "MemoryDenyWriteExecute": "yes", "LockPersonality": "yes", "UMask": "0077",
    }  # fmt: skip

    assert {name: said[name][-1] for name in wanted} == wanted
    assert "@system-service" in said["SystemCallFilter"][0]


def test_each_process_has_a_unit_that_starts_it_and_starts_it_again() -> None:
    """A process that died at night must be back before anybody wakes."""
    units = {unit.stem.removeprefix("telecare-"): _tokens(unit) for unit in UNITS}

    assert set(units) == PROCESSES | {"migrate", "backup"}
    for name in PROCESSES:
        assert units[name]["ExecStart"] == [f"/opt/telecare/bin/telecare {name}"]
        assert units[name]["Restart"] == ["always"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_names_variables_that_we_read_and_no_secret(unit: Path) -> None:
    """What stands in a unit is read by everybody on the machine."""
    assert test_docs.variables(unit.read_text()) <= _known()
    for said in _tokens(unit).get("Environment", []):
        assert not re.search(r"(PASSWORD|TOKEN|SECRET)=", said), said


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_takes_a_unit_and_finds_little_exposed(unit: Path, tmp_path: Path) -> None:
    """Systemd passes over what it does not know, with a line that nobody reads."""
    analyze = _program("systemd-analyze")
    for one in UNITS:
        (tmp_path / one.name).write_text(one.read_text().replace("/opt/telecare/bin/telecare", "/bin/true"))
    there = tmp_path / unit.name
    verified = subprocess.run([analyze, "verify", str(there)], capture_output=True, check=False)
    exposed = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", "--threshold=20", str(there)],
        capture_output=True,
        check=False,
    )

    said = [line for line in verified.stderr.decode().splitlines() if unit.stem in line]
    assert (verified.returncode, said) == (0, [])
    assert exposed.returncode == 0, exposed.stdout.decode()[-300:]


def test_a_unit_file_is_not_read_twice() -> None:
    """Two sections of one name are merged without a word."""
    for unit in UNITS:
        sections = re.findall(r"^\[(\w+)\]$", unit.read_text(), flags=re.MULTILINE)
        assert len(sections) == len(set(sections))
        configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True).read(unit)
