"""e-Procurement: the national ISB snapshot feeds, and the announcements of the city's own SPSE, polled over SOAP."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bus.contract.feed import Feed, Scope
from bus.routes.joining import decoding
from connectors import e_procurement as connector
from connectors.kit.isb_snapshot import read_snapshot
from mappings.canonical import Agency, Appointment, Award, Canonical, Commencement, Contract, Handover, Tender
from mappings.e_procurement import (
    master_satker,
    nontender_bast,
    nontender_kontrak,
    nontender_pengumuman,
    nontender_selesai,
    nontender_spmk,
    nontender_sppbj,
    spse_pengumuman,
    tender_pengumuman,
)

Values = Mapping[str, Any]


class _Mapping(Protocol):
    """What a mapping module of an ISB feed offers."""

    @property
    def to_canonical(self) -> Callable[[Values], Canonical]: ...
    @property
    def scope(self) -> Callable[[Values], Scope | None]: ...
    @property
    def record_key(self) -> Callable[[Values], str | None]: ...
    @property
    def event_date(self) -> Callable[[Values], str]: ...


def _snapshot(name: str, model: type[Canonical], mapping: _Mapping) -> Feed:
    return Feed(
        system=connector.SYSTEM,
        name=name,
        type=model.TYPE,
        key=model.KEY,
        read=read_snapshot,
        decode=decoding(mapping.to_canonical),
        scope=mapping.scope,
        subject=mapping.record_key,
        recency=mapping.event_date,
        snapshot=True,
        agency_field="kd_satker_str",
    )


FEEDS = (
    _snapshot("nontender-pengumuman", Tender, nontender_pengumuman),
    _snapshot("nontender-selesai", Award, nontender_selesai),
    _snapshot("nontender-sppbj", Appointment, nontender_sppbj),
    _snapshot("nontender-kontrak", Contract, nontender_kontrak),
    _snapshot("nontender-spmk", Commencement, nontender_spmk),
    _snapshot("nontender-bast", Handover, nontender_bast),
    _snapshot("tender-pengumuman", Tender, tender_pengumuman),
    _snapshot("master-satker", Agency, master_satker),
    Feed(
        system=connector.SYSTEM,
        name="spse-pengumuman",
        type=Tender.TYPE,
        key=Tender.KEY,
        decode=decoding(spse_pengumuman.to_canonical),
        subject=spse_pengumuman.record_key,
    ),
)
