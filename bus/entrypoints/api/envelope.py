"""From a CloudEvent as posted to a checked input. Pure: it asks the catalogue, and no store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

from bus.contract.errors import Problem, Refused
from bus.contract.feed import Record, RowRefused
from bus.contract.message import Incoming, Op, full_type, short_type, source_of
from bus.engine.registry import Identity
from bus.entrypoints.catalogue import Catalogue
from mappings.canonical import Canonical, subject_of

from . import attributes

DEFAULT_CONTENT_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Sender:
    """What the verified key says of whoever posts."""

    system: str
    agency: str | None

    @classmethod
    def of(cls, identity: Identity) -> Sender:
        return cls(identity.system, identity.agency)


def read(event: Any, raw: bytes, sender: Sender, catalogue: Catalogue) -> Incoming:
    """Check one structured event against DESIGN 4.2. Raises Refused (422), which names fields and no values."""
    if not isinstance(event, dict):
        raise Refused(Problem("invalid-event", "Not an event", 422, "an event is a JSON object"))
    event = {name: value for name, value in event.items() if value is not None}
    attributes.check_names(event)
    attributes.specversion(attributes.required(event, "specversion"))
    identifier = attributes.identifier("id", attributes.required(event, "id"))
    _check_source(attributes.required(event, "source"), sender)
    kind = _type(attributes.required(event, "type"), sender, catalogue)
    operation = attributes.operation(attributes.text(event, "op"))
    _check_form(event)
    time = attributes.text(event, "time")
    sequence = attributes.text(event, "sequence")
    partition = attributes.text(event, "partitionkey")
    record = _record(kind, event.get("data"), operation, catalogue)
    _check_subject(attributes.text(event, "subject"), record, event["data"], catalogue.types[kind])
    return Incoming(
        id=identifier,
        system=sender.system,
        type=kind,
        subject=record.subject,
        data=record.data,
        content=content_hash(event),
        raw=raw,
        op=operation,
        time=attributes.moment(time) if time is not None else None,
        time_text=time,
        sequence=attributes.sequence(sequence) if sequence is not None else None,
        partition=attributes.identifier("partitionkey", partition) if partition is not None else None,
        traceparent=attributes.traceparent(event.get("traceparent")),
        agency=record.agency or sender.agency,
    )


def content_hash(event: dict[str, Any]) -> str:
    """SHA-256 over all attributes and the data as sent, whatever their order, without trace context.

    ``datacontenttype`` has a default, and naming the default changes nothing.
    """
    content = {name: value for name, value in event.items() if name not in attributes.TRACE}
    content.setdefault("datacontenttype", DEFAULT_CONTENT_TYPE)
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _check_form(event: dict[str, Any]) -> None:
    content_type = attributes.text(event, "datacontenttype")
    if content_type is not None:
        attributes.content_type(content_type)
    dataschema = attributes.text(event, "dataschema")
    if dataschema is not None:
        attributes.dataschema(dataschema)


def _check_source(source: str, sender: Sender) -> None:
    own = source_of(sender.system)
    if source != own:
        raise attributes.refuse(
            "source-not-yours",
            "Not your source",
            "source",
            f"the key belongs to {sender.system}: source must be {own}",
            f"kunci ini milik {sender.system}: source harus {own}",
        )


def _type(name: str, sender: Sender, catalogue: Catalogue) -> str:
    short = short_type(name)
    if full_type(short) != name or short not in catalogue.types:
        raise attributes.refuse(
            "unknown-type",
            "Unknown type",
            "type",
            "this type is not known; GET /v1/schemas lists them",
            "jenis ini tidak dikenal; lihat GET /v1/schemas",
        )
    if not catalogue.may_post(sender.system, short):
        raise attributes.refuse(
            "type-not-yours",
            "Not your type",
            "type",
            f"{sender.system} has no feed that originates this type",
            f"{sender.system} tidak mempunyai feed untuk jenis ini",
        )
    return short


def _record(kind: str, data: Any, operation: Op, catalogue: Catalogue) -> Record:
    if not isinstance(data, dict):
        raise attributes.refuse(
            "invalid-data",
            "Invalid data",
            "data",
            "data is required, and is a JSON object",
            "data wajib diisi dan berupa objek JSON",
        )
    try:
        record = catalogue.record(kind, data, operation)
    except RowRefused as refused:
        errors = [
            {"field": _place(problem.field), "english": problem.english, "indonesian": problem.indonesian}
            for problem in refused.problems
        ]
        detail = "the data does not fit the schema of its type; GET /v1/schemas/{type} has it"
        raise Refused(Problem("invalid-data", "Invalid data", 422, detail, errors)) from None
    if len(record.subject.encode()) > attributes.LONGEST_KEY:
        raise attributes.refuse(
            "key-too-long",
            "Key too long",
            "data",
            f"the key fields together make at most {attributes.LONGEST_KEY} bytes, percent-encoded",
            f"gabungan kunci paling panjang {attributes.LONGEST_KEY} byte",
        )
    return record


def _place(field: str) -> str:
    if not field:
        return "data"
    return ".".join(
        [
            "data",
            *(part if part.isdigit() and len(part) < 6 else attributes.shown_name(part) for part in field.split(".")),
        ]
    )


def _check_subject(subject: str | None, record: Record, data: dict[str, Any], model: type[Canonical]) -> None:
    """A subject made of the key fields as posted is as good as one made of their canonical spelling."""
    if subject is None or subject in {record.subject, subject_of(data.get(name) for name in model.KEY)}:
        return
    fields = ", ".join(model.KEY)
    fields = ", ".join(model.KEY)
    raise attributes.refuse(
        "subject-differs",
        "Subject differs from the key",
        "subject",
        f"subject must be the key fields ({fields}), each percent-encoded, joined by a colon; or be left out",
        f"subject harus gabungan kunci ({fields}) dengan titik dua, atau dikosongkan",
    )
