"""F19: the disk of the drop folders and the log is full, or nobody reads the log: posted messages are delivered on."""

import contextlib
import fcntl
import os
import shlex
import signal

import pytest

from tests.processes.events import budget_line, rka, subject
from tests.processes.receiver import receiving
from tests.processes.running import ARUS, Hub, until

from .small_disk import MEBIBYTE, small_disk

pytestmark = [pytest.mark.prove, pytest.mark.timeout(170)]


@pytest.fixture
async def receiver():
    async with receiving() as receiver:
        yield receiver


async def post_and_see(hub, receiver, key, *ids):
    for id in ids:
        await hub.post(key, budget_line(id, 50))
    await until(lambda: set(receiver.ids) >= set(ids), f"{ids} to be delivered")


async def kill(hub, role):
    """SIGKILL; the supervisor then has something to say. Wait for the next one."""
    old = hub.children()[role]
    os.kill(old, signal.SIGKILL)
    await until(lambda: hub.children().get(role, old) != old, f"another {role}")
    await until(hub.ready, "the hub to be ready")


async def test_a_full_disk_of_drop_folder_and_log_holds_no_delivery_and_the_file_is_taken_later(tmp_path, receiver):
    place = tmp_path / "disk"
    with small_disk(tmp_path / "disk.img", place, 4 * MEBIBYTE) as disk:
        hub = Hub(place, ARUS_HOME=str(tmp_path / "home"), ARUS_DROP=str(place / "drop"))
        try:
            await hub.start()
            await hub.subscribe(await hub.key("dashboard", "read"), receiver.url)
            key = await hub.key()
            folder = place / "drop" / "e-budgeting" / "rka"
            await until(folder.is_dir, hub.said)
            passing = folder / "rka.csv.part"
            passing.write_bytes(rka(1, 2))
            disk.fill()
            with pytest.raises(OSError, match="No space"):
                (place / "probe").write_bytes(b"x" * 100_000)
            written = len(hub.said())
            passing.rename(folder / "rka.csv")
            await post_and_see(hub, receiver, key, "a", "b")
            for role in ("engine", "front"):
                await kill(hub, role)
                await post_and_see(hub, receiver, key, f"after-{role}")
            assert len(hub.said()) - written < 4096, "the log was not full"

            disk.make_room()
            await until(lambda: list(folder.glob("done/*/rka.csv")), hub.said)
            rows = {subject(1), subject(2)}
            await until(lambda: rows <= {one.event["subject"] for one in receiver.received}, hub.said)
            await post_and_see(hub, receiver, key, "later")
        finally:
            await hub.close()


def stuff(writing):
    """Fill a pipe to its last byte."""
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x")


async def test_a_log_that_nobody_reads_holds_nothing(tmp_path, receiver):
    hub = Hub(tmp_path)
    pipe = tmp_path / "log.pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writing = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    try:
        await hub.begin(program=("sh", "-c", f"exec {shlex.quote(ARUS)} serve --port 0 2>{shlex.quote(str(pipe))}"))
        first = b""

        def address():
            nonlocal first
            with contextlib.suppress(BlockingIOError):
                first += os.read(reading, 4096)
            return first.endswith(b"\n")

        await until(address, lambda: first)
        hub.url = first.decode().split()[1]
        await until(hub.ready, lambda: first)
        await hub.subscribe(await hub.key("dashboard", "read"), receiver.url)
        key = await hub.key()
        stuff(writing)
        await post_and_see(hub, receiver, key, "a")
        for role in ("engine", "front"):
            await kill(hub, role)
            await post_and_see(hub, receiver, key, f"after-{role}")
        with pytest.raises(BlockingIOError):
            os.write(writing, b"x")  # it was full to the end
    finally:
        os.close(reading)
        os.close(writing)
        await hub.close()
