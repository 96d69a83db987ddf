"""``docker-compose.yml`` says what these tests run. No container is started here: there may be no daemon."""

import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bus.entrypoints.settings import Settings
from tests.services.programs import program

from .fleet import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
SIMULATOR = re.compile(r"connectors\.(\w+)\.simulator")


@pytest.fixture(scope="module")
def compose():
    return YAML(typ="safe", pure=True).load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def of_the_hub(compose):
    return {name: service for name, service in compose["services"].items() if service["image"] == "arus-hub"}


def test_every_command_of_the_hub_is_one_that_the_tests_run(compose):
    commands = {name: tuple(service["command"]) for name, service in of_the_hub(compose).items()}
    hub = {name: words for name, words in commands.items() if words[0] == "arus"}
    expected = {
        "api-1": COMMANDS["api"], "api-2": COMMANDS["api"],
        "worker-1": COMMANDS["worker"], "worker-2": COMMANDS["worker"],
        "sweeper": COMMANDS["sweeper"], "embedded": COMMANDS["api"],
    }  # fmt: skip
    assert hub == {name: ("arus", *words) for name, words in expected.items()}
    for name, words in commands.items():
        if name not in hub:
            assert words[:2] == ("python", "-m")
            assert SIMULATOR.fullmatch(words[2])[1] == name.replace("-", "_")
            assert compose["services"][name]["profiles"] == ["simulators"]


def test_what_the_hub_is_told_are_settings_that_exist(compose):
    for name, service in of_the_hub(compose).items():
        told = {key.removeprefix("ARUS_").lower() for key in service.get("environment", {})}
        assert told <= set(Settings.model_fields), name
    for name in ("api-1", "api-2", "worker-1", "worker-2", "sweeper"):
        told = of_the_hub(compose)[name]["environment"]
        places = {key.removeprefix("ARUS_").lower(): told[key] for key in ("ARUS_DATABASE_URL", "ARUS_BROKER_URL")}
        plain = {key: re.sub(r"\$\{[^}]+\}", "secret", value) for key, value in places.items()}
        assert Settings(**plain).distributed


def test_no_password_stands_in_the_file_and_none_may_be_absent():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if "PASS" in line.upper().split("#")[0]:
            assert re.search(r"\$\{ARUS_\w+_PASSWORD:\?", line), line


def test_prometheus_takes_its_configuration(compose, tmp_path):
    promtool = program("promtool", package="prometheus")
    key = tmp_path / "key"
    key.write_text("key")
    text = compose["configs"]["prometheus"]["content"].replace("/run/secrets/metrics-key", str(key))
    (tmp_path / "prometheus.yml").write_text(text)
    done = subprocess.run(
        [promtool, "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_broker_is_the_one_that_is_tested(compose):
    """The same number in the compose file, the documents and, where it is Debian's, on this machine."""
    version = compose["services"]["rabbitmq"]["image"].partition(":")[2]
    assert f"RabbitMQ {version}" in (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
