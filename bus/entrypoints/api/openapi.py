"""The OpenAPI document: what FastAPI knows, and the hot door, which FastAPI does not see."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .attributes import LONGEST_ID
from .door import BATCHED, NDJSON, STRUCTURED

TITLE = "Arus"
SUMMARY = "Integration hub for the systems of a city government"

_ATTRIBUTE = {"type": "string", "minLength": 1}

_EVENT: dict[str, Any] = {
    "type": "object",
    "description": "A CloudEvent 1.0; `data` is a record of its `type`, see /v1/schemas/{type}.",
    "required": ["specversion", "id", "source", "type", "data"],
    "additionalProperties": False,
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {**_ATTRIBUTE, "maxLength": LONGEST_ID},
        "source": {**_ATTRIBUTE, "description": "/systems/<your own system>"},
        "type": {**_ATTRIBUTE, "description": "id.go.surabaya.<family>.<entity>.v1"},
        "subject": {**_ATTRIBUTE, "description": "The record key; derived from the data where it is absent."},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"type": "string"},
        "dataschema": {"type": "string", "format": "uri-reference"},
        "sequence": {"type": "string", "pattern": "^[0-9]{1,18}$"},
        "partitionkey": {**_ATTRIBUTE, "maxLength": LONGEST_ID},
        "op": {"enum": ["upsert", "delete"], "default": "upsert"},
        "traceparent": {"type": "string"},
        "tracestate": {"type": "string"},
        "data": {"type": "object"},
    },
}

_RESULT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {
        "index": {"type": "integer"},
        "id": {"type": ["string", "null"]},
        "status": {"enum": ["accepted", "duplicate", "conflict", "rejected"]},
        "problem": {"$ref": "#/components/schemas/Problem"},
    },
}

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `type` is stable; no member repeats what was sent.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "english": {"type": "string"},
                    "indonesian": {"type": "string"},
                },
            },
        },
    },
}

_REFUSALS = {
    "400": "Not JSON, or a header that cannot be read",
    "401": "No key, or none that is known",
    "403": "The key lacks the scope `post`",
    "409": "Source and id were used for other content",
    "413": "Too large",
    "415": "Not one of the media types",
    "422": "Refused: the problem document says which field and why",
    "429": "Too busy; come again after Retry-After",
    "503": "The store takes no write now; come again after Retry-After",
}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _post() -> dict[str, Any]:
    event = {"$ref": "#/components/schemas/CloudEvent"}
    result = {"$ref": "#/components/schemas/PostResult"}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    headers = [
        {"name": f"ce-{name}", "in": "header", "required": False, "schema": {"type": "string"}}
        for name in _EVENT["properties"]
        if name not in {"data", "datacontenttype"}
    ]
    return {
        "tags": ["messages"],
        "summary": "Post messages: binary, structured or batched CloudEvents, or NDJSON",
        "operationId": "post_messages",
        "security": [{"key": []}],
        "parameters": headers,
        "requestBody": {
            "required": True,
            "content": {
                STRUCTURED: {"schema": event},
                BATCHED: {"schema": {"type": "array", "items": event}},
                NDJSON: {"schema": {"type": "string", "description": "One event a line."}},
                "application/json": {"schema": {"type": "object", "description": "Binary mode: the data alone."}},
            },
        },
        "responses": {
            "200": {
                "description": "A duplicate; or, for a batch or NDJSON, one result per event in order",
                "content": _json({"oneOf": [result, {"type": "array", "items": result}]}),
            },
            "202": {"description": "Accepted: it is on disk", "content": _json(result)},
            **{status: {"description": text, "content": problem} for status, text in _REFUSALS.items()},
        },
    }


def install(app: FastAPI) -> None:
    """``app.openapi()`` describes the hot door too."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=TITLE, version=app.version, summary=SUMMARY, routes=app.routes)
            made["paths"].setdefault("/v1/messages", {})["post"] = _post()
            components = made.setdefault("components", {})
            components.setdefault("schemas", {}).update(
                {"CloudEvent": _EVENT, "PostResult": _RESULT, "Problem": _PROBLEM}
            )
            components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            made["security"] = [{"key": []}]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
