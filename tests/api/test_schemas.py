"""What each type is made of, the OpenAPI document, and what addresses there are."""

from openapi_spec_validator import OpenAPIV31SpecValidator

from bus.engine import registry
from tests.api.calling import MARKER, Front


class TestSchemas:
    def test_every_type(self, refusing: Front, known: str) -> None:
        from jsonschema import Draft202012Validator

        items = refusing.get("/v1/schemas", known).json["items"]
        assert {item["short"] for item in items} == set(refusing.hub.catalogue.types)
        for item in items:
            schema = refusing.get(f"/v1/schemas/{item['short']}", known).json
            assert refusing.get(f"/v1/schemas/{item['type']}", known).json == schema
            Draft202012Validator.check_schema(schema)
            assert schema["examples"]
            for example in schema["examples"]:
                Draft202012Validator(schema).validate(example)
            assert schema["x-arus-key"] == item["key"]
            assert schema["x-arus-feeds"] == item["feeds"]
        assert refusing.get("/v1/schemas/nothing", known).slug == "not-found"
        assert refusing.get("/v1/schemas").slug == "unauthorized"

    def test_the_openapi_document(self, refusing: Front) -> None:
        document = refusing.get("/openapi.json").json
        OpenAPIV31SpecValidator(document).validate()
        assert {"get", "post"} <= set(document["paths"]["/v1/messages"])
        assert refusing.get("/docs").slug == "not-found"


def test_unknown_addresses_and_methods(refusing: Front, known: str) -> None:
    assert refusing.get(f"/v1/{MARKER}", known).slug == "not-found"
    answer = refusing.call("PUT", "/v1/parked", key=known)
    assert (answer.status, answer.slug) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


def test_every_address_of_v1_asks_for_a_key(refusing: Front) -> None:
    """What a stranger may ask is listed here, and nothing else."""
    document = refusing.get("/openapi.json").json
    asked = 0
    for path, operations in document["paths"].items():
        for method in operations:
            address = path.replace("{type}", "budget.line").replace("{", "").replace("}", "")
            answer = refusing.call(method.upper(), address, b"{}", headers={"Content-Type": "application/json"})
            if path in {"/livez", "/readyz", "/metrics"}:
                assert answer.status == 200
            else:
                assert (answer.status, answer.slug) == (401, "unauthorized"), path
                asked += 1
    assert asked > 15


def test_a_key_that_only_posts_reads_nothing(front: Front) -> None:
    key = front.key("e-budgeting", "post")
    for path in ("/v1/messages", "/v1/parked", "/v1/rejections", "/v1/systems", "/v1/subscriptions", "/v1/failures"):
        assert front.get(path, key).slug == "insufficient-scope"


def test_admin_may_all(front: Front) -> None:
    admin = front.key("ops", "admin")
    assert registry.Identity("", "", None, frozenset({"admin"})).sees_all
    assert front.get("/v1/parked", admin).status == 200
    assert front.post("/v1/systems/e-project/pause", {"reason": "x"}, admin).status == 200
