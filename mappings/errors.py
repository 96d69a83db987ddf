"""The one error a mapping raises by itself: bilingual, and silent about the value it refuses."""


class FieldError(ValueError):
    """A field of a row cannot be read.

    ``english`` and ``indonesian`` say what is wrong and how to mend it. They never contain the value, which may
    be personal. ``field`` is the field's name in the feed's own format; empty where the caller knows it already
    (inside a pydantic validator, whose location names it).
    """

    def __init__(self, field: str, english: str, indonesian: str) -> None:
        super().__init__(english)
        self.field = field
        self.english = english
        self.indonesian = indonesian
