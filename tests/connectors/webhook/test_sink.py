"""What a subscriber sees on the wire."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import orjson
import pytest

from bus.contract.message import Message
from bus.contract.sink import Delivery
from bus.contract.verdict import Ambiguous, Delivered, Rejected, RetryLater
from connectors.kit.http import HttpClient
from connectors.webhook.signature import signature, signing_key
from connectors.webhook.sink import WebhookSink
from tests.connectors.servers import serving

from .receiver import SECRET, Receiver

MESSAGE = Message(
    id="e-1",
    source="/systems/e-budgeting",
    type="budget.line",
    subject="2026:1.03",
    time=datetime(2026, 1, 5, 8, 30, tzinfo=UTC),
    op="upsert",
    data={"amount": "1250000000.00"},
)


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
async def server(receiver):
    async with serving(receiver.app()) as server:
        yield server


@pytest.fixture
async def sink(server):
    sink = WebhookSink(server.url + "/terima", SECRET, clock=lambda: 1_767_601_800.9)
    yield sink
    await sink.close()


async def send(sink, message=MESSAGE, key="dlv-1", deadline=5.0):
    (verdict,) = await sink.send([Delivery(key, message, 42, 1, None, deadline)])
    return verdict


async def test_the_post_is_a_signed_structured_cloudevent(sink, receiver):
    assert await send(sink) == Delivered(status=200)
    ((headers, body),) = receiver.requests
    event = orjson.loads(body)
    assert event == MESSAGE.event(42)
    assert (event["id"], event["source"], event["subject"]) == ("e-1", "/systems/e-budgeting", "2026:1.03")
    assert event["sequence"] == "42"
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert headers["Idempotency-Key"] == headers["webhook-id"] == "dlv-1"
    assert headers["Arus-Sequence"] == "42"
    assert headers["webhook-timestamp"] == "1767601800"
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = hmac.new(key, b"dlv-1.1767601800." + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()


async def test_the_signature_is_that_of_the_standards_own_example():
    # The example of the reference libraries of Standard Webhooks.
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    given = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_secret_without_prefix_is_its_utf8_bytes():
    assert signing_key("rahasia-é") == "rahasia-é".encode()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_bukan base64!"])
def test_an_unusable_secret_is_refused_without_repeating_it(secret):
    with pytest.raises(ValueError, match="secret") as caught:
        WebhookSink("http://127.0.0.1/", secret)
    assert "bukan" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "/terima", "http://", "file:///etc/passwd", "http://[::1"])
def test_an_unusable_url_is_refused(url):
    with pytest.raises(ValueError, match="subscription's url"):
        WebhookSink(url, SECRET)


async def test_409_is_tried_again_because_the_receiver_may_still_work_on_the_same_key(sink, receiver):
    receiver.faults.order("409")
    verdict = await send(sink)
    assert isinstance(verdict, RetryLater)
    assert verdict.status == 409


async def test_retry_after_is_honoured_and_capped(sink, receiver):
    receiver.faults.order("429", wait="1000000000")
    assert (await send(sink)).after == 3600
    receiver.faults.order("429", wait="-5")
    assert (await send(sink)).after is None


async def test_a_redirect_is_not_followed(sink, receiver):
    receiver.faults.order("redirect", times=1)
    assert isinstance(await send(sink), Rejected)
    assert receiver.faults.requests == 1


async def test_numbers_beyond_64_bits_keep_their_digits(sink, receiver):
    big = 10**40 + 7
    message = Message("e-2", MESSAGE.source, "budget.line", "s", MESSAGE.time, "upsert", {"n": big})
    await send(sink, message)
    assert str(big).encode() in receiver.requests[0][1]


async def test_what_cannot_be_written_as_json_is_the_hubs_fault(sink, receiver):
    message = Message("e-2", MESSAGE.source, "budget.line", "s", MESSAGE.time, "upsert", {"n": object()})
    verdict = await send(sink, message)
    assert isinstance(verdict, Rejected)
    assert verdict.at == "hub"
    assert receiver.requests == []


async def test_a_good_status_counts_though_the_body_never_ends(sink, receiver):
    receiver.faults.order("slow")
    assert isinstance(await send(sink, deadline=1.5), Delivered)


async def test_a_wrong_secret_is_not_the_messages_fault(server):
    sink = WebhookSink(server.url + "/terima", "bukan-itu")
    verdict = await send(sink)
    await sink.close()
    assert type(verdict).__name__ == "Unavailable"


async def test_a_shared_client_is_closed_by_its_owner_alone(server):
    client = HttpClient()
    one, two = (WebhookSink(server.url + "/terima", SECRET, client) for _ in range(2))
    await send(one)
    await one.close()
    assert await send(two, key="dlv-2") == Delivered(status=200)
    await client.close()


async def test_a_broken_connection_is_ambiguous(sink, receiver):
    receiver.faults.order("reset")
    assert isinstance(await send(sink), Ambiguous)
