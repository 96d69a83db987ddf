"""The command line in a home of its own: what a person types, and what a script reads."""

import json

from typer.testing import CliRunner

from bus.entrypoints.cli.app import build


class Arus:
    """``arus …`` with ARUS_HOME; a leftover ``arus.toml`` of the working directory plays no part."""

    def __init__(self, home):
        self.home = home

    def __call__(self, *words, code=0):
        """Run a verb; gives its stdout. ``code`` is the exit code that it must end with."""
        result = CliRunner().invoke(build(), [str(word) for word in words], env={"ARUS_HOME": str(self.home)})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, (words, result.stdout, result.stderr)
        return result.stdout

    def intake(self, system, feed, path, code=0):
        """Gives the counts without the zeros, or the problem."""
        told = json.loads(self("intake", system, feed, path, "--json", code=code))
        return {name: value for name, value in told.items() if value or name == "rows"}

    def export(self, kind):
        """Living records: data by key."""
        lines = [json.loads(line) for line in self("records", "export", "--type", kind).splitlines()]
        found = {line["key"]: line["data"] for line in lines}
        assert len(found) == len(lines)
        assert all(line["version"] >= 1 for line in lines)
        return found

    def rejections(self):
        told = json.loads(self("rejections", "--json", "--limit", "1000"))
        return told["items"] if isinstance(told, dict) else told
