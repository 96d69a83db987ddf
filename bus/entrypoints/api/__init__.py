"""The HTTP front: one file per resource, and the hot door for messages."""
