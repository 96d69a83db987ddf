"""F33: a subscriber's TLS is expired, another's, self-signed or old: refused, visible, nothing sent, mended."""

import contextlib
import ssl

import pytest

from tests.processes.events import budget_line
from tests.processes.running import Hub, until

from .certificates import Authority, SecureReceiver

OLD = ssl.TLSVersion.TLSv1
NOT_ACCEPTED = "its TLS certificate is not accepted"
HUNG_UP = "the connection was refused or its host cannot be reached"
"""Python's server hangs up without saying which versions it speaks, so the hub cannot know that TLS was the matter."""


@pytest.mark.filterwarnings("ignore:.*TLSv1:DeprecationWarning")
async def test_no_body_goes_to_whom_tls_does_not_name(tmp_path):
    authority = Authority(tmp_path)
    right = authority.right()
    wrong = {
        "expired": (SecureReceiver(authority.expired()), NOT_ACCEPTED),
        "another": (SecureReceiver(authority.of_another()), NOT_ACCEPTED),
        "self-signed": (SecureReceiver(authority.self_signed()), NOT_ACCEPTED),
        "old": (SecureReceiver(right, OLD), HUNG_UP),
    }
    good = SecureReceiver(right)
    hub = Hub(tmp_path, SSL_CERT_FILE=str(authority.file))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(hub.close)
        for receiver in (good, *(one for one, _ in wrong.values())):
            stack.push_async_callback(receiver.close)
            await receiver.start()
        await hub.start()
        key, reader = await hub.key(scope="post,read"), await hub.key("dashboard", "read")
        made = {name: await hub.subscribe(reader, one.url) for name, (one, _) in wrong.items()}
        await hub.subscribe(reader, good.url)
        await hub.post(key, budget_line("a"))

        async def reasons():
            """The last words about each subscriber, by what is wrong with it."""
            story = await hub.call("GET", "/v1/messages/a", key)
            said = {one["destination"]: one for one in story["deliveries"]}
            return {name: said[f"sub:{one['id']}"] for name, one in made.items()}

        async def refused():
            said = await reasons()
            seen.update({name: one["reason"] for name, one in said.items()})
            return all(words in (said[name]["reason"] or "") for name, (_, words) in wrong.items())

        await until(lambda: good.received, hub.said)  # the control: with the same authority, a right one is trusted
        seen = {}
        await until(refused, lambda: seen)
        failures = str(await hub.call("GET", "/v1/failures", reader))
        assert NOT_ACCEPTED in failures
        assert HUNG_UP in failures
        assert [one.received for one, _ in wrong.values()] == [[]] * len(wrong)
        for receiver, _ in wrong.values():
            receiver.mend(right)
        await until(lambda: all(one.received for one, _ in wrong.values()), hub.said)
        assert [one.ids for one, _ in wrong.values()] == [["a"]] * len(wrong)

        async def delivered():
            return {one["state"] for one in (await reasons()).values()} == {"delivered"}

        await until(delivered, hub.said)
