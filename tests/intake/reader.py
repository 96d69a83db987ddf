"""A reader in a thread of its own, and a clock by which one sees that it waits."""

import threading


class Reader:
    """Begins ``work`` at once; ``answer`` waits for what it gives, or raises what it raised."""

    def __init__(self, work):
        self._work, self._answer, self._error = work, None, None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            self._answer = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again where it is asked for
            self._error = error

    def answer(self):
        self._thread.join(timeout=60)
        assert not self._thread.is_alive(), "the reader does not end"
        if self._error is not None:
            raise self._error
        return self._answer


class Watched:
    """A clock that tells how often it was asked."""

    def __init__(self, clock):
        self.clock, self.asked = clock, 0

    def __call__(self):
        self.asked += 1
        return self.clock()
