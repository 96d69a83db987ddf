"""What connectors, the engine and the entry points agree on: messages, ports and verdicts."""
