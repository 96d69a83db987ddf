"""F41: a mapping is changed while deliveries wait: none is lost, and each attempt tells which release made its form."""

import os
import shutil

import pytest
import pytest_asyncio

import mappings
from bus.routes.mapping_release import RELEASE
from connectors.e_project.simulator import CLIENT_SECRET, EProject
from tests.connectors.servers import serving
from tests.processes.events import budget_line, subject
from tests.processes.running import until

from .standing import standing

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEFORE, WAITING = range(1, 11), range(101, 301)
MARK = "CHANGED "


def changed(folder):
    """A folder with the mappings as an operator has edited them; answers what puts it before those installed."""
    copied = folder / "mappings"
    shutil.copytree(next(iter(mappings.__path__)), copied, ignore=shutil.ignore_patterns("__pycache__"))
    file = copied / "e_project" / "budget_line.py"
    text = file.read_text()
    edited = text.replace('"uraian": line.description,', f'"uraian": "{MARK}" + (line.description or ""),')
    assert edited != text
    file.write_text(edited)
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


def line(id, number):
    event = budget_line(id, number)
    event["data"]["description"] = f"Baris {number}"
    return event


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def after(tmp_path_factory):
    """The hub after the change, with all that had waited delivered; and e-Project."""
    simulator = EProject()
    environment = {"ARUS_E_PROJECT__CLIENT_SECRET": CLIENT_SECRET}
    async with serving(simulator.app()) as server:
        environment["ARUS_E_PROJECT__URL"] = server.url
        async with standing(tmp_path_factory.mktemp("f41"), **environment) as hub:
            for number in BEFORE:
                await hub.post(line(f"before-{number}", number))
            for number in BEFORE:
                await hub.settled(f"before-{number}", "e-project", "delivered")
            simulator.faults.order("unavailable")
            await hub.post(line("between", 50))
            await hub.settled("between", "e-project", "retrying")
            await hub.switch("e-project", "pause")
            await hub.post_all([line(f"waiting-{number}", number) for number in WAITING])
            await hub.hub.stop()
            simulator.faults.heal()
            hub.hub.environment["PYTHONPATH"] = changed(tmp_path_factory.mktemp("edited"))
            await hub.hub.start()
            assert len(simulator.records["anggaran"]) == len(BEFORE)
            await hub.switch("e-project", "resume")
            await until(lambda: len(simulator.records["anggaran"]) == len(BEFORE) + 1 + len(WAITING), hub.hub.said)
            for number in WAITING:
                await hub.settled(f"waiting-{number}", "e-project", "delivered")
            yield hub, simulator


def held(simulator, number):
    """What e-Project holds of that line."""
    return simulator.records["anggaran"][subject(number)]["uraian"]


async def test_what_waited_is_delivered_once_in_the_new_form_and_what_was_sent_stays(after):
    _, simulator = after
    assert {held(simulator, number) for number in BEFORE} == {f"Baris {number}" for number in BEFORE}
    assert {held(simulator, number) for number in WAITING} == {f"{MARK}Baris {number}" for number in WAITING}
    assert set(simulator.effects.values()) == {1}


async def test_each_attempt_tells_its_release_and_the_message_is_as_it_was_accepted(after):
    hub, _ = after
    told = await hub.delivery("before-1", "e-project")
    assert [one["mapping"] for one in told["attempts"]] == [RELEASE]
    new = told["target_mapping"]
    assert new != RELEASE, "the form that is shown is made by the mappings of now"
    assert told["target"]["uraian"] == f"{MARK}Baris 1"
    for number in WAITING:
        story = await hub.story(f"waiting-{number}")
        (one,) = story["deliveries"]
        assert [tried["mapping"] for tried in one["attempts"]] == [new]
        assert story["canonical"]["description"] == f"Baris {number}"
        assert story["type"].endswith(".v1")


async def test_a_delivery_that_was_tried_before_and_after_tells_both(after):
    hub, simulator = after
    told = await hub.settled("between", "e-project", "delivered")
    releases = [one["mapping"] for one in told["attempts"]]
    assert releases == [RELEASE] * (len(releases) - 1) + [told["target_mapping"]]
    assert len(releases) >= 2
    assert held(simulator, 50) == f"{MARK}Baris 50"


async def test_a_replay_is_made_by_the_mapping_of_now_and_says_so(after):
    hub, simulator = after
    old = await hub.delivery("before-2", "e-project")
    wanted = {"ids": [old["id"]], "reason": "the mapping was mended"}
    await hub.hub.call("POST", "/v1/replays", hub.key, wanted)

    async def replayed():
        found = (await hub.story("before-2"))["deliveries"]
        return next((one for one in found if one["replay_of"] and one["state"] == "delivered"), None)

    told = await until(replayed, hub.hub.said)
    assert [one["mapping"] for one in told["attempts"]] == [told["target_mapping"]]
    assert held(simulator, 2) == f"{MARK}Baris 2"
