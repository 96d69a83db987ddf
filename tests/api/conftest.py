"""An open hub on SQLite with its front running, fresh for every test; and one for tests that only ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.entrypoints.settings import Settings
from bus.entrypoints.wiring import Hub, open_hub
from tests.api.calling import Front, serving


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Override it in a test module for other settings."""
    return Settings(home=tmp_path / "home")


@pytest.fixture
def hub(settings: Settings) -> Iterator[Hub]:
    hub = open_hub(settings)
    yield hub
    hub.close()


@pytest.fixture
def front(hub: Hub) -> Iterator[Front]:
    with serving(hub) as front:
        yield front


@pytest.fixture
def key(front: Front) -> str:
    """A key of e-budgeting that posts and reads."""
    return front.key("e-budgeting")


@pytest.fixture
def operator(front: Front) -> str:
    return front.key("ops", "operate")


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One front for all tests of a module that only post what is refused: nothing is ever stored there."""
    hub = open_hub(Settings(home=tmp_path_factory.mktemp("refusing")))
    with serving(hub) as front:
        yield front
    hub.close()


@pytest.fixture(scope="module")
def known(refusing: Front) -> str:
    """A key of e-budgeting at the refusing front."""
    return refusing.key("e-budgeting")
