"""The demo's hub: ``arus serve`` that ends with the demo, however the demo ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from bus.entrypoints.serve import serve

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """``hub PORT PARENT``: the demo's process id, so that a hub whose demo has just died does not start."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(sys.argv[2]):
        return 1
    return serve(port=int(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
