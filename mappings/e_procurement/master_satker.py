"""Feed ``master-satker`` (RUP-MasterSatker): the agencies of the national plan, in their own key space ``rup``."""

from collections.abc import Mapping
from typing import Any

from mappings.canonical import Agency
from mappings.plain_values import Opd, OptionalWhole, OptionalWords, Words

from .isb_rows import Institution, Row, subject_from
from .isb_snapshot import event_date
from .isb_snapshot import institution as scope

__all__ = ["Source", "event_date", "record_key", "scope", "to_canonical"]


class AgencyKey(Row):
    """``kd_satker_str`` joins; the numeric ``kd_satker`` is another number in every register."""

    kd_satker_str: Opd


class Source(AgencyKey):
    """A row as the feed has it; the feed has no budget year."""

    nama_satker: Words
    kd_satker: OptionalWhole = None
    jenis_satker: OptionalWords = None
    status_satker: OptionalWords = None
    kd_klpd: Institution
    nama_klpd: OptionalWords = None


def to_canonical(row: Mapping[str, Any]) -> Agency:
    """Map one row; raises ``pydantic.ValidationError``."""
    source = Source.model_validate(row)
    return Agency(
        **_key(source),
        name=source.nama_satker,
        rup_id=source.kd_satker,
        kind=source.jenis_satker,
        status=source.status_satker,
        institution=source.kd_klpd,
        institution_name=source.nama_klpd,
    )


def record_key(row: Mapping[str, Any]) -> str | None:
    """The record's subject if the key columns can be read, whatever the others hold."""
    return subject_from(row, AgencyKey, Agency, _key)


def _key(columns: AgencyKey) -> dict[str, Any]:
    return {"register": "rup", "code": columns.kd_satker_str}
