"""Read days and times as the feeds write them, five ways in one snapshot.

Decision: **the ``Z`` of these feeds is not UTC**. ``2025-03-21T00:00:00.000000Z`` is a contract's date entered as
a day, announcements open at 08:00 to 15:00 "Z", and the same time of one tender appears with and without ``Z`` in
two feeds. Read as UTC, offices would work at night and every day-only date would be seven in the morning. So the
wall clock is kept and its zone is Western Indonesia Time, +07:00. A time that names a numeric offset is that
instant, written in WIB, so that one instant has one spelling.

Month names are English whatever the machine's locale, hence the table instead of ``strptime("%b")``.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from .canonical.fields import WIB, Date, Moment
from .errors import FieldError
from .plain_values import is_blank

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"([T ](?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?)(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_SPOKEN = re.compile(
    rf"(?P<month>{'|'.join(_MONTHS)}) (?P<day>[0-9]{{1,2}}), (?P<year>[0-9]{{4}}), "
    r"(?P<hour>0?[1-9]|1[0-2]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]) ?(?P<half>[AP]M)"
)


def read_moment(value: Any) -> datetime | None:
    """A point in time with its zone; a day alone is its midnight in WIB."""
    if is_blank(value):
        return None
    try:
        if isinstance(value, datetime):
            return _in_wib(value)
        if isinstance(value, str):
            return _iso(value.strip()) or _spoken(value.strip())
    except (ValueError, OverflowError):  # 31 February, 25 o'clock; before the first year
        raise _unreadable() from None
    raise _unreadable()


def read_day(value: Any) -> date | None:
    """A calendar day; of a time, the day on its wall clock."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    moment = read_moment(value)
    return None if moment is None else moment.date()


def sortable(value: Any) -> str:
    """A time as text whose order is the order of time; empty when there is none or it cannot be read."""
    try:
        moment = read_moment(value)
    except FieldError:
        return ""
    return "" if moment is None else moment.isoformat(timespec="microseconds")


def _iso(text: str) -> datetime | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    clock, zone = match["clock"] or "00:00:00", match["zone"]
    return _in_wib(datetime.fromisoformat(f"{match['day']}T{clock}{zone if zone not in (None, 'Z') else ''}"))


def _in_wib(moment: datetime) -> datetime:
    return moment.astimezone(WIB) if moment.tzinfo else moment.replace(tzinfo=WIB)


def _spoken(text: str) -> datetime:
    match = _SPOKEN.fullmatch(text)
    if match is None:
        raise _unreadable()
    hour = int(match["hour"]) % 12 + (12 if match["half"] == "PM" else 0)
    month = _MONTHS.index(match["month"]) + 1
    day, minute, second = int(match["day"]), int(match["minute"]), int(match["second"])
    return datetime(int(match["year"]), month, day, hour, minute, second, tzinfo=WIB)


def _unreadable() -> FieldError:
    return FieldError(
        "",
        "the date cannot be read; write 2025-01-31 or 2025-01-31 14:00:00",
        "tanggal tidak dapat dibaca; tulis 2025-01-31 atau 2025-01-31 14:00:00",
    )


OptionalMoment = Annotated[Moment | None, BeforeValidator(read_moment)]
OptionalDay = Annotated[Date | None, BeforeValidator(read_day)]
