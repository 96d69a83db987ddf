"""A backup file: a tar with a manifest and one copy of the store, readable by its owner alone."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from bus.contract.errors import Problem, Refused

FORMAT = 1

_MANIFEST = "manifest.json"
_STORE = "store"
_BLOCK = 2**20
_LONGEST_MANIFEST = 2**24


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. Moments are microseconds since the epoch; ``open`` counts deliveries by destination."""

    made_at: int
    database: str
    revision: str
    audit_position: int
    audit_hash: str
    unsealed: int
    messages: int
    deliveries: int
    open: Mapping[str, int]
    tables: tuple[str, ...]


def write(file: Path, manifest: Manifest, store: Path) -> None:
    """Put both into ``file``: whole and on disk, or not at all."""
    told = {"format": FORMAT, **asdict(manifest), "size": store.stat().st_size, "sha256": _sum(store)}
    text = json.dumps(told, indent=2).encode()
    partial = file.with_name(f".{file.name}.partial")
    try:
        with _private(partial) as raw:
            with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
                tar.addfile(_member(_MANIFEST, len(text), manifest.made_at), io.BytesIO(text))
                with store.open("rb") as copy:
                    tar.addfile(_member(_STORE, store.stat().st_size, manifest.made_at), copy)
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(file)
        _sync_folder(file.parent)
    finally:
        partial.unlink(missing_ok=True)


def read(file: Path) -> Manifest:
    """The manifest alone. Raises Refused."""
    return _manifest(_told(file))


def extract(file: Path, target: Path) -> None:
    """The copy of the store, its checksum compared. Raises Refused."""
    told = _told(file)
    try:
        with tarfile.open(file, "r:") as tar, _private(target) as out:
            source = tar.extractfile(_STORE)
            if source is None:
                raise _no_backup(file, "it holds no store")
            while block := source.read(_BLOCK):
                out.write(block)
    except (tarfile.TarError, KeyError):
        raise _no_backup(file, "it ends early or is damaged") from None
    if _sum(target) != told.get("sha256"):
        raise _no_backup(file, "its checksum is not that of the manifest: the file is damaged")


def _told(file: Path) -> dict[str, Any]:
    try:
        with tarfile.open(file, "r:") as tar:
            source = tar.extractfile(_MANIFEST)
            told = json.loads(source.read(_LONGEST_MANIFEST)) if source is not None else None
    except (tarfile.TarError, KeyError, ValueError):
        raise _no_backup(file, "it has no manifest") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise _no_backup(file, "its format is not one that this version of Arus knows")
    return told


def _manifest(told: Mapping[str, Any]) -> Manifest:
    return Manifest(**{name: told[name] for name in Manifest.__slots__ if name != "tables"}, tables=(*told["tables"],))


def _no_backup(file: Path, why: str) -> Refused:
    return Refused(Problem("not-a-backup", "Not a backup", 422, f"{file.name}: {why}; choose a file of arus backup"))


def _member(name: str, size: int, made_at: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, made_at // 1_000_000, 0o600
    return member


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
