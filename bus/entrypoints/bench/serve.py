"""The hub of a benchmark, on a port that the caller chose."""

import sys

from bus.entrypoints.serve import serve

if __name__ == "__main__":
    sys.exit(serve(port=int(sys.argv[1])))
