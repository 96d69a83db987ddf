"""The proof's own servers: their absence is told, they forget what they are told to forget, and they leave nothing."""

import pytest

from proof.servers import Broker, Database, ServerMissing, program
from tests.faults.proven import need_servers


def test_a_missing_program_is_named_with_its_package(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerMissing, match="no-such-server is not installed here: install a-package"):
        program("no-such-server", [f"{tmp_path}/*/none"], "a-package")


@pytest.mark.prove
@pytest.mark.parametrize("kind", [Database, Broker])
async def test_a_server_dies_comes_back_at_its_port_and_leaves_nothing(kind):
    need_servers()
    async with kind() as server:
        port, folder = server.port, server.folder
        assert await server.kill()
        await server.start()
        assert server.port == port
    assert not folder.exists()
