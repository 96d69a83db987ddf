"""A RabbitMQ with the faults that these tests need."""

import contextlib
import os
import shutil
import signal
from pathlib import Path

from tests.services.rabbitmq import RabbitMQServer


class Broker(RabbitMQServer):
    """One for all modules: each finds it running, whatever the one before did to it."""

    def run(self):
        """Start it, if it does not run."""
        if not self.processes or self._ended():
            self.kill()
            self.start()

    def lose_data(self):
        """Kill it and remove its data directory; ``start`` then starts an empty broker."""
        self.kill()
        shutil.rmtree(self.folder / "data")

    def control(self, *words):
        """Run ``rabbitmqctl`` with the broker's own environment (port mapper, node name, cookie); answers its words."""
        environ = Path(f"/proc/{self.processes[-1].pid}/environ").read_bytes().decode().split("\0")
        env = dict(pair.split("=", 1) for pair in environ if pair)
        return self.account.run([self.binary.with_name("rabbitmqctl"), "--node", self.node, *words], env=env)

    @contextlib.contextmanager
    def blocking_publishers(self):
        """The memory alarm: whoever publishes is no longer read from."""
        self.control("set_vm_memory_high_watermark", "0.0001")
        try:
            yield
        finally:
            self.control("set_vm_memory_high_watermark", "0.4")

    @contextlib.contextmanager
    def out_of_disk(self):
        """The disk alarm: it keeps more space free than there is, and blocks publishers likewise."""
        self.control("set_disk_free_limit", "1000000GB")
        try:
            yield
        finally:
            self.control("set_disk_free_limit", "50MB")

    @contextlib.contextmanager
    def frozen(self):
        """Connections stand and nobody answers, as behind a half-open connection."""
        os.kill(self.processes[-1].pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.processes[-1].pid, signal.SIGCONT)
