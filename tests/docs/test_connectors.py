"""The sink of ``docs/connectors.md`` keeps every promise, by the test printed beside it."""

from .pages import blocks

_sink, _test = blocks("docs/connectors.md", "python")
_space = {"__name__": __name__}
exec(compile(_sink, "docs/connectors.md: sink", "exec"), _space)
exec(compile(_test, "docs/connectors.md: test", "exec"), _space)

TestArchiveSink = _space["TestArchiveSink"]
