"""Which release of the mappings this process runs: the version of the hub, and a digest of the mappings' own files.

The version alone would not do: an operator changes a mapping in place and starts the hub again.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

import mappings


def release_of(folder: Path) -> str:
    """Such as ``0.1.0+5f0c2a9d41b7``: the same for the same files, wherever they lie."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return f"{version('arus-hub')}+{digest.hexdigest()[:12]}"


RELEASE = release_of(Path(next(iter(mappings.__path__))))
