"""The commands of ``docs/operate.md`` and ``docs/feeds.md`` are run as printed, on a store of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import blocks

BIN = Path(sys.executable).parent

RKA = """\
Judul;RKA;;;
Daerah;Kota Surabaya;;;
tahun;kode_skpd;kode_sub_giat;kode_akun;rincian
2026;1.03.0.00.0.00.01.0000;1.03.10.2.01.0029;5.1.02.01.01.0024;1.250.000.000,00
2026;1.03.0.00.0.00.01.0000;1.03.10.2.01.0030;5.1.2.1.1.25;seribu rupiah
"""


@pytest.fixture
def run(tmp_path):
    """Run a printed block in a fresh home."""
    environment = {**os.environ, "ARUS_HOME": str(tmp_path / "home"), "PATH": f"{BIN}:{os.environ['PATH']}"}
    (tmp_path / "rka-2026.csv").write_text(RKA, encoding="utf-8")

    def run(block):
        done = subprocess.run(
            ["bash", "-e", "-c", block], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run


def test_the_printed_commands_run(run, tmp_path):
    intake = json.loads(run(blocks("docs/feeds.md", "sh")[0]))
    assert (intake["rows"], intake["created"], intake["rejected"]) == (2, 1, 1)
    printed = [block for block in blocks("docs/operate.md", "sh") if block.strip() != "arus serve"]
    assert len(printed) == len(blocks("docs/operate.md", "sh")) - 1
    told = {block: run(block) for block in printed}
    assert any("nothing wrong" in text and "budget.line" in text for text in told.values()), "the first five commands"
    assert any("e-project paused" in text and "e-project resumed" in text for text in told.values())
    assert "seribu rupiah" in (tmp_path / "rejections.csv").read_text(encoding="utf-8")
    assert any("backup.tar: 1 messages" in text and "may be sent again: 1" in text for text in told.values())
