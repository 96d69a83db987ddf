"""What every part agrees on: messages, feeds, sinks, routes, verdicts, events, errors. Imports nothing of ours."""
