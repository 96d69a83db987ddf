"""``arus demo``: a private hub and three simulated systems; records flow down the river, a SIGKILL included."""

from .show import demo

__all__ = ["demo"]
