"""Private servers and real data for tests: started on free ports of 127.0.0.1, stopped by process id."""

from tests.services.ports import free_port
from tests.services.waiting import wait_until, wait_until_async

__all__ = ["free_port", "wait_until", "wait_until_async"]
