"""Systems, keys and agencies; and the switches that every worker must know of."""

import pytest

from bus.contract.errors import Refused
from bus.engine import controls, registers, registry

AGENCY = "1.01.0.00.0.00.01.0000"


def _key(hub, system="e-surat", scopes=("post",), **more):
    return hub.do(registry.create_key, system, scopes, agency=more.get("agency"), actor="admin", now=hub.clock())


def _identify(hub, key):
    return hub.do(registry.identify, key)


def test_a_key_tells_who_calls_and_only_its_hash_is_stored(hub):
    made = _key(hub, scopes=("post", "read"), agency=AGENCY)
    who = _identify(hub, made.key)
    assert (who.system, who.agency, who.scopes) == ("e-surat", AGENCY, {"post", "read"})
    (row,) = hub.rows(registers.api_keys)
    assert made.key not in str(row)
    assert made.key.split("_")[2] not in str(row)
    assert row.hash == registry.hash_of(made.key)
    assert made.key not in str(hub.audited("key-created"))


def test_keys_differ_and_a_changed_one_is_nobodys(hub):
    first, second = _key(hub), _key(hub)
    assert first.key != second.key
    for wrong in ("", "arus_", first.key[:-1], first.key + "x", first.key.upper(), first.id):
        assert _identify(hub, wrong) is None


def test_a_revoked_key_fails_at_its_next_use_and_the_other_lives(hub):
    first, second = _key(hub), _key(hub)
    assert hub.do(registry.revoke_key, first.id, actor="admin", now=hub.clock())
    assert _identify(hub, first.key) is None
    assert _identify(hub, second.key).key_id == second.id
    assert not hub.do(registry.revoke_key, first.id, actor="admin", now=hub.clock())
    assert not hub.do(registry.revoke_key, "unknown", actor="admin", now=hub.clock())
    assert len(hub.audited("key-revoked")) == 1


@pytest.mark.parametrize(
    ("scopes", "may", "sees_all"),
    [
        ({"post"}, {"post"}, False),
        ({"read"}, {"read"}, False),
        ({"operate"}, {"operate", "read"}, True),
        ({"admin"}, {"post", "read", "operate", "admin"}, True),
    ],
)
def test_what_a_scope_allows(scopes, may, sees_all):
    who = registry.Identity("id", "e-surat", None, frozenset(scopes))
    assert {scope for scope in registry.SCOPES if who.may(scope)} == may
    assert who.sees_all == sees_all


@pytest.mark.parametrize("scopes", [(), ("root",), ("post", "POST")])
def test_unknown_scopes_are_refused(hub, scopes):
    with pytest.raises(Refused) as caught:
        _key(hub, scopes=scopes)
    assert (caught.value.problem.slug, hub.count(registers.api_keys)) == ("invalid-scope", 0)


def test_an_unknown_system_is_registered_as_an_external_one(hub):
    _key(hub, "new-system")
    (row,) = hub.rows(registers.systems)
    assert (row.id, row.external, row.agency) == ("new-system", 1, None)
    _key(hub, "new-system", agency=AGENCY)
    assert hub.rows(registers.systems)[0].agency == AGENCY


@pytest.mark.parametrize("name", ["", "x", "E-Surat", "e surat", "a" * 41, "é-surat", "e_surat", "e-surat\n"])
def test_what_is_no_system_id_is_refused(hub, name):
    with pytest.raises(Refused) as caught:
        _key(hub, name)
    assert caught.value.problem.slug == "invalid-system-id"


def test_a_known_system_keeps_its_agency_when_registered_again(hub):
    for title, agency in (("old", AGENCY), ("new", None)):
        hub.do(registry.register, "e-surat", title=title, agency=agency, external=False, now=hub.clock())
    (row,) = hub.rows(registers.systems)
    assert (row.title, row.agency) == ("new", AGENCY)
    assert hub.do(registry.known, "e-surat")
    assert not hub.do(registry.known, "e-surat-2")


def test_spellings_of_an_agency_lead_to_its_code(hub):
    other = "1.02.0.00.0.00.01.0000"
    hub.do(registry.learn_aliases, [("Dinas Pendidikan", AGENCY), ("DISPENDIK.", other), ("...", other)])
    hub.do(registry.learn_aliases, [("dispendik", AGENCY)])
    hub.do(registry.learn_aliases, [])
    asked = ["dinas  pendidikan", "DINAS-PENDIDIKAN", "Dispendik", "Dinas Sosial", ""]
    found = hub.do(registry.agency_codes, asked)
    assert found == dict.fromkeys(asked[:3], AGENCY)


def test_whoever_pauses_learns_which_living_workers_do_not_know_yet(hub):
    hub.do(registry.register, "e-project", title="e", agency=None, external=False, now=hub.clock())
    for worker in ("A", "B", "dead"):
        hub.do(controls.sign, worker, hub.clock() - (10_000_000 if worker == "dead" else 0), 0)
    wanted = hub.do(controls.set_paused, "e-project", at=hub.clock(), reason="broken")
    assert sorted(hub.do(controls.behind, wanted, hub.clock())) == ["A", "B"]
    switches = hub.do(controls.read)
    assert (switches.number, switches.paused) == (wanted, {"e-project"})
    hub.do(controls.sign, "A", hub.clock(), wanted)
    assert hub.do(controls.behind, wanted, hub.clock()) == ["B"]
    hub.do(controls.sign_off, "B")
    assert hub.do(controls.behind, wanted, hub.clock()) == []
    later = hub.do(controls.set_paused, "e-project", at=None, reason=None)
    assert later > wanted
    assert hub.do(controls.behind, later, hub.clock()) == ["A"]
    assert hub.do(controls.read).paused == frozenset()
    hub.do(controls.sign_off_all)
    assert hub.count(registers.workers) == 0
