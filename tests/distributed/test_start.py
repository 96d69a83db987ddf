"""How the processes start: what is asked of them, what they refuse, and what they do without Celery."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bus.entrypoints import worker
from bus.entrypoints.settings import Settings

from .fleet import ARUS

BROKER = "amqp://arus:s3cret@127.0.0.1:1//"


def environment(**values):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ARUS_")}
    return inherited | values


def run(*words, **values):
    return subprocess.run(words, env=environment(**values), capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("words", [("worker",), ("worker", "--sweep")])
@pytest.mark.parametrize(
    "given",
    [{}, {"ARUS_BROKER_URL": BROKER}, {"ARUS_DATABASE_URL": "postgresql://arus@127.0.0.1:1/arus"}],
    ids=["nothing", "broker alone", "database alone"],
)
def test_a_worker_without_its_places_is_wrong_usage(tmp_path, words, given):
    done = run(ARUS, *words, ARUS_HOME=str(tmp_path / "home"), **given)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "ARUS_BROKER_URL" in done.stderr
    assert "ARUS_DATABASE_URL" in done.stderr
    assert "s3cret" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()


def test_a_broker_without_a_server_database_is_refused_by_serve_too(tmp_path):
    """Nothing would carry what such a front accepted: it has no engine, and no worker can reach its SQLite."""
    done = run(ARUS, "serve", "--port", "0", ARUS_HOME=str(tmp_path / "home"), ARUS_BROKER_URL=BROKER)
    assert done.returncode == 2
    assert "ARUS_DATABASE_URL" in done.stderr
    assert "s3cret" not in done.stderr
    assert "Traceback" not in done.stderr


CONFIGURATION = """
import json
from bus.entrypoints.worker import celery_app
app = celery_app("amqp://arus@right//")
conf = app.conf
(queue,) = conf.task_queues
with app.connection_for_write() as writes, app.connection_for_read() as reads:
    hosts = [writes.hostname, reads.hostname]
import sys
print(json.dumps({
    "loaded": sorted({"celery", "kombu"} & set(sys.modules)),
    "hosts": hosts,
    "takes": sorted(conf.accept_content), "takes results": sorted(conf.result_accept_content),
    "serializer": conf.task_serializer,
    "acks late": conf.task_acks_late, "rejects on loss": conf.task_reject_on_worker_lost,
    "confirms": conf.broker_transport_options["confirm_publish"],
    "prefetch": conf.worker_prefetch_multiplier,
    "remote control": conf.worker_enable_remote_control,
    "queue": [queue.name, queue.durable, queue.queue_arguments["x-queue-type"], queue.exchange.type],
}))
"""


def test_celery_is_set_safely_whatever_its_own_environment_says(tmp_path):
    (tmp_path / "loose.py").write_text(
        "accept_content = ['pickle', 'json']\ntask_serializer = 'pickle'\ntask_acks_late = False\n"
        "broker_transport_options = {'confirm_publish': False}\n"
    )
    places = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL")
    values = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}"}
    values |= dict.fromkeys(places, "amqp://arus@wrong//") | {"CELERY_CONFIG_MODULE": "loose"}
    done = run(sys.executable, "-c", CONFIGURATION, **values)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "loaded": ["celery", "kombu"],
        "hosts": ["right", "right"],
        "takes": ["json"],
        "takes results": ["json"],
        "serializer": "json",
        "acks late": True,
        "rejects on loss": True,
        "confirms": True,
        "prefetch": 1,
        "remote control": False,
        "queue": ["arus.doorbell", True, "quorum", "topic"],
    }


class App:
    """Celery's application, as far as ``work`` goes."""

    def __init__(self):
        self.names = []

    def worker_main(self, words):
        assert "--pool=threads" in words
        self.names += [word for word in words if word.startswith("--hostname=")]

    def task(self, **_):
        return lambda function: function


class Nothing:
    def __init__(self, *_):
        """Neither a store nor a broker is asked for."""

    def close(self):
        """Nothing is open."""


def test_every_worker_has_a_node_name_of_its_own(monkeypatch):
    """A second one of the same name would be shut out (405 RESOURCE_LOCKED) while the first's connection lives."""
    app = App()
    monkeypatch.setattr(worker, "celery_app", lambda _: app)
    monkeypatch.setattr(worker, "Visitor", Nothing)
    monkeypatch.setattr(worker, "Doorbell", Nothing)
    for _ in range(2):
        worker.work(Settings(broker_url=BROKER, database_url="postgresql://x/x"))
    assert len(set(app.names)) == 2


LOADED = """
import sys
{imports}
print(sorted({{name.split(".")[0] for name in sys.modules}} & {{"celery", "kombu", "amqp", "billiard"}}))
"""


EMBEDDED = """
import bus.entrypoints.serve, bus.entrypoints.front_process, bus.entrypoints.engine_process
import bus.entrypoints.demo, bus.entrypoints.bench.run, bus.entrypoints.cli.app
bus.entrypoints.cli.app.build()
"""


def test_nothing_of_the_embedded_mode_imports_celery():
    done = run(sys.executable, "-c", LOADED.format(imports=EMBEDDED))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_a_silent_process_is_not_dead_before_a_pause_stops_waiting_for_it():
    with pytest.raises(ValueError, match="dead_seconds"):
        Settings(dead_seconds=3)
