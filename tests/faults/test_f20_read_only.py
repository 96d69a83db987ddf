"""F20: the store's file system is read-only: not ready, and no message is taken."""

import os
import signal

import aiohttp
import pytest

from tests.processes.events import budget_line
from tests.processes.receiver import Receiver
from tests.processes.running import Hub, until

from .small_disk import MEBIBYTE, small_disk

TRIES = 5
ACCEPTED = [f"before-{number}" for number in range(5)]

pytestmark = [pytest.mark.prove, pytest.mark.timeout(170)]


async def status(hub, path, key="", event=None):
    """0 where no answer came in time."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}
    method = "GET" if event is None else "POST"
    wait = aiohttp.ClientTimeout(total=3)
    try:
        async with hub.session.request(method, hub.url + path, headers=headers, json=event, timeout=wait) as got:
            return got.status
    except (aiohttp.ClientError, TimeoutError):
        return 0


async def takes_nothing(hub, key, disk):
    """The statuses that posts and /readyz had in the window."""
    with pytest.raises(OSError, match="Read-only"):
        (disk.place / "probe").write_bytes(b"x")
    found = set()
    for number in range(TRIES):
        found.add(await status(hub, "/v1/messages", key, budget_line(f"in-{number}", 100 + number)))
        found.add(await status(hub, "/readyz"))
    return found


async def begin(hub, receiver):
    await hub.start()
    await receiver.start()
    await hub.subscribe(await hub.key("dashboard", "read"), receiver.url)
    key = await hub.key()
    for number, id in enumerate(ACCEPTED):
        await hub.post(key, budget_line(id, number))
    return key


async def goes_on(hub, receiver, key):
    await until(hub.ready, hub.said)
    await hub.post(key, budget_line("after", 200))
    await until(lambda: set(receiver.ids) >= {*ACCEPTED, "after"}, hub.said)


async def test_a_store_that_was_remounted_read_only_is_used_again_by_itself(tmp_path):
    """The kernel allows it only while nobody writes there: so front and engine die, and find it so."""
    place = tmp_path / "disk"
    hub, receiver = Hub(tmp_path, ARUS_DATABASE_URL=f"sqlite:///{place}/arus.db"), Receiver()
    with small_disk(tmp_path / "disk.img", place, 32 * MEBIBYTE) as disk:
        try:
            key = await begin(hub, receiver)

            def remounted():
                for process in hub.children().values():
                    os.kill(process, signal.SIGKILL)
                return disk.remount("ro")

            await until(remounted, "the disk to be read-only")
            assert await takes_nothing(hub, key, disk) <= {0, 503}
            assert hub.process.returncode is None
            assert disk.remount("rw")
            await goes_on(hub, receiver, key)
            assert set(receiver.ids) <= {*ACCEPTED, "after", *(f"in-{number}" for number in range(TRIES))}
        finally:
            await hub.close()
            await receiver.close()


async def test_a_disk_that_the_kernel_makes_read_only_is_told_and_keeps_what_was_accepted(tmp_path):
    """As after an error in the file system, under a running hub. Mended it can be only once nobody uses it."""
    hub, receiver = Hub(tmp_path), Receiver()
    with small_disk(tmp_path / "disk.img", tmp_path / "home", 32 * MEBIBYTE) as disk:
        try:
            key = await begin(hub, receiver)
            disk.turn_read_only()
            assert await takes_nothing(hub, key, disk) == {503}
            await hub.stop()
            disk.unmount()
            await until(disk.is_let_go, "the disk is let go")
            disk.check()
            disk.mount()
            await hub.start()
            await goes_on(hub, receiver, key)
            assert set(receiver.ids) == {*ACCEPTED, "after"}
        finally:
            await hub.close()
            await receiver.close()
