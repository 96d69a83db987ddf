"""Histories made by hand: a good run to spoil, written as the five files that the checker reads."""

from pathlib import Path

import orjson

from proof import checker, histories

KEYS = ("a", "b")
EACH = 20
LEAST = 5


class Handmade:
    """A run of two keys with ``EACH`` messages each, two kills, one answer missed, one attempt repeated."""

    def __init__(self):
        self.client, self.dest = [], []
        self.faults = [
            {"event": "fault", "number": 0, "name": "kill -9 hub", "at": 100.5, "hit": True},
            {"event": "back", "number": 0, "at": 100.9},
            {"event": "fault", "number": 1, "name": "kill -9 engine", "at": 200.5, "hit": True},
            {"event": "back", "number": 1, "at": 200.9},
        ]
        for n in range(1, EACH + 1):
            for place, key in enumerate(KEYS):
                self._message(key, n, at=100.0 * (n * 3 // (EACH + 1)) + n + place / 10)
        self.client[1:1] = [{"event": "info", "id": "a-1", "answer": "0", "at": 1.01}, {**self.client[0], "at": 1.02}]
        self.dest.append({**self.dest[-1], "effect": "duplicate", "attempt": 2})
        total = EACH * len(KEYS)
        self.final = {"accepted": total, "states": {"delivered": total}, "standing": {}, "stories": {}}
        self.final["audit"] = {"ok": True, "sealed": total + 1, "unsealed": 0, "wrong": 0, "findings": []}
        self.signs = [{"at": float(at), "url": "http://hub", "ready": True, "oldest": 0.5} for at in range(300)]

    def _message(self, key, n, at):
        id, sha = f"{key}-{n}", f"sha-{key}-{n}"
        self.client.append({"event": "invoke", "id": id, "key": key, "n": n, "sha": sha, "try": 1, "at": at})
        self.client.append({"event": "ok", "id": id, "answer": "accepted", "at": at + 0.05})
        arrived = {"id": id, "idempotency_key": f"key-{id}", "key": key, "sequence": n, "sha": sha, "n": n}
        self.dest.append({**arrived, "attempt": 1, "effect": "applied", "answer": "200", "at": at + 0.06})

    def arrival(self, id):
        """The attempt of ``id`` that had the effect."""
        return next(line for line in self.dest if line["id"] == id and line["effect"] == "applied")

    def drop(self, id):
        """The destination never saw ``id``, though the hub says that it has it."""
        self.dest = [line for line in self.dest if line["id"] != id]

    def write(self, folder: Path):
        for name in ("client", "dest", "faults", "signs"):
            lines = [orjson.dumps(line) + b"\n" for line in getattr(self, name)]
            (folder / f"{name}.jsonl").write_bytes(b"".join(lines))
        (folder / "final.json").write_bytes(orjson.dumps(self.final))
        return folder

    def verdict(self, folder: Path):
        return checker.check(histories.read(self.write(folder)), LEAST)
