"""One package per system that the hub is joined to."""
