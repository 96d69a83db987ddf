"""Ports that nobody listens on."""

import socket


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free a moment ago.

    Another process may take it before its user binds it: who can bind port 0 itself should,
    and who cannot should start again with another port when binding fails.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
