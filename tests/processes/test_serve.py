"""``arus serve``: how it starts, what it refuses, and how it ends."""

import os
import signal
import socket
import sys
import time

import pytest

from bus.entrypoints import serve

from .running import ARUS, alive, group, until


def planted(**values):
    """``arus serve`` with other constants of the supervisor, to be waited for in a test."""
    lines = [f"serve.{name} = {value!r}" for name, value in values.items()]
    text = "; ".join(["import sys", "from bus.entrypoints import serve", *lines, "sys.exit(serve.serve(port=0))"])
    return sys.executable, "-c", text


async def test_it_is_ready_in_an_empty_home_says_where_and_ends_on_sigterm(make_hub):
    hub = make_hub()
    await hub.start("--host", "localhost")
    assert hub.url.startswith("http://127.0.0.1:")
    assert (hub.home / "arus.db").exists()
    await until((hub.home / "drop" / "e-budgeting" / "rka").is_dir, "the drop folder")
    children = hub.children()
    assert sorted(children) == ["engine", "front"]
    assert (hub.home / "arus.db-wal").exists()
    assert await hub.stop() == 0
    assert not any(alive(pid) for pid in children.values())
    assert not (hub.home / "arus.db-wal").exists()  # everybody has closed the store: it is one file again
    assert "Traceback" not in hub.said()


async def test_ctrl_c_ends_all_of_it_quietly(hub):
    os.killpg(hub.process.pid, signal.SIGINT)  # a terminal tells the whole group
    assert await hub.ended() == 0
    assert group(hub.process.pid) == []
    assert "Traceback" not in hub.said()


async def test_one_hub_per_home(hub, make_hub):
    second = make_hub()
    await second.begin(program=planted(LOCK_PATIENCE=0.2))
    assert await second.ended() == 1
    said = second.said()
    assert f"arus: another hub runs in {hub.home}: stop it, or choose another place with ARUS_HOME\n" in said
    assert "Traceback" not in said
    assert await hub.ready()


async def test_a_port_that_is_taken_is_named(make_hub):
    hub = make_hub()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        await hub.begin(port=port)
        assert await hub.ended() == 1
    assert hub.said() == (
        f"arus: cannot listen on 127.0.0.1:{port} (Address already in use): choose another port with --port\n"
    )


async def test_a_home_that_cannot_be_made_is_named(make_hub, tmp_path):
    (tmp_path / "home").write_text("a file")
    hub = make_hub()
    await hub.begin()
    assert await hub.ended() == 1
    assert hub.said().startswith(f"arus: cannot write in {hub.home} (")
    assert "Traceback" not in hub.said()


async def test_a_killed_supervisor_takes_its_children_along(hub):
    children = hub.children()
    hub.process.kill()
    await hub.ended()
    await until(lambda: not any(alive(pid) for pid in children.values()), "the children to end")
    await hub.start()
    assert set(hub.children().values()).isdisjoint(children.values())


async def test_a_killed_child_is_started_again(hub):
    before = hub.children()
    for role in ("front", "engine"):
        os.kill(before[role], signal.SIGKILL)
        await until(lambda role=role: hub.children().get(role) not in {None, before[role]}, f"another {role}")
        assert f"arus: {role}_process ended (-9); started again\n" in hub.said()
    await until(hub.ready, hub.said)
    assert hub.process.returncode is None
    assert await hub.stop() == 0


async def test_a_child_that_cannot_start_ends_the_hub(make_hub, tmp_path):
    hub = make_hub()
    hub.home.mkdir()
    (hub.home / "arus.db").write_bytes(b"this was a database once. " * 1000)
    await hub.begin(program=planted(FALSE_STARTS=2))
    assert await hub.ended() == 1
    said = hub.said()
    assert "_process ended (1); started again\n" in said
    assert "_process does not start; see the lines above\n" in said
    assert group(hub.process.pid) == []
    assert (hub.home / "arus.db").read_bytes() == b"this was a database once. " * 1000


def test_a_child_that_has_run_before_is_tried_for_ever(monkeypatch):
    """A store that is away for an hour ends the hub at its first start, and never later."""
    monkeypatch.setattr(serve, "FALSE_STARTS", 2)
    lifeline, own_end = os.pipe()
    child = serve._Child("no_such_process", (lifeline,))
    pauses = []
    for _ in range(3):
        child.start(os.environ, ())
        assert child.process.wait() != 0
        child.ended(1)
        pauses.append(child.start_at - time.monotonic())
    assert child.hopeless
    assert pauses == sorted(pauses)
    child.came_up = True
    assert not child.hopeless
    os.close(own_end)
    os.close(lifeline)


class TestSettings:
    async def test_the_environment_comes_before_arus_toml(self, make_hub, tmp_path):
        hub = make_hub(ARUS_PORT="0")
        del hub.environment["ARUS_HOME"]
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            (tmp_path / "arus.toml").write_text(f'home = "from-toml"\nport = {port}\ndrop = "inbox"\n')
            await hub.start(port=None)
        assert not hub.url.endswith(f":{port}")
        await until((tmp_path / "inbox" / "e-budgeting" / "rka").is_dir, "the drop folder of arus.toml")
        assert (tmp_path / "from-toml" / "arus.db").exists()
        assert not (tmp_path / "var").exists()

    @pytest.mark.parametrize("verb", [("serve",), ("keys", "list"), ("demo", "--once"), ("bench", "--seconds", "1")])
    async def test_an_unknown_key_is_named(self, make_hub, tmp_path, verb):
        (tmp_path / "arus.toml").write_text('colour = "blue"\n')
        done = await make_hub().arus(*verb, code=2)
        assert "arus.toml" in done.err
        assert "  colour: Extra inputs are not permitted\n" in done.err
        assert "Traceback" not in done.err
        assert "blue" not in done.err
        assert done.out == ""

    async def test_a_wrong_value_is_named_and_not_repeated(self, make_hub):
        done = await make_hub().arus("serve", code=2, ARUS_LEASE_SECONDS="s3cret")
        assert "  lease_seconds: " in done.err
        assert "s3cret" not in done.err
        assert "Traceback" not in done.err

    async def test_a_file_that_is_no_toml_is_told(self, make_hub, tmp_path):
        (tmp_path / "arus.toml").write_text("port 8080\n")
        done = await make_hub().arus("serve", code=2)
        assert "arus.toml" in done.err
        assert "Traceback" not in done.err


def test_the_command_is_installed():
    assert os.access(ARUS, os.X_OK)
