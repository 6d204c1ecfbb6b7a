"""The OICP partners as programs: they find each other by their certificates, and end when they are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from partners.sandbox.oicp.authority import Authority
from tests.walks.oicp_partners import OicpCpo, OicpEmp, OicpHub

Three = tuple[OicpHub, OicpCpo, OicpEmp]


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Three]:
    authority = Authority(tmp_path / "papers")
    hub = OicpHub("DE*HUB", authority.issue("hub"), tmp_path)
    ends = {"hub": hub.url, "hub_certificate": hub.papers.certificate}
    cpo = OicpCpo("DE*ABC", authority.issue("cpo"), tmp_path, **ends)
    emp = OicpEmp("DE-EEE", authority.issue("emp"), tmp_path, **ends)
    for process in (hub, cpo, emp):
        process.start()
    try:
        for process in (hub, cpo, emp):
            process.wait()
        hub.join("CPO", cpo.party, cpo.papers, url=cpo.url)
        hub.join("EMP", emp.party, emp.papers, url=emp.url)
        yield hub, cpo, emp
    finally:
        for process in (hub, cpo, emp):
            process.close()


def test_a_card_of_one_program_charges_at_another_by_way_of_a_third(three: Three) -> None:
    hub, cpo, emp = three
    emp.do("cards", evco_id="DE-EEE-C00000001-0", uid="04A1B2C3")
    assert cpo.do("evses", evses=[{"EvseID": "DE*ABC*E1"}])["code"] == "000"
    session = cpo.do("authorize", uid="04A1B2C3", evse="DE*ABC*E1")["session"]
    assert cpo.do("charge", session=session, kwh=12)["code"] == "000"
    assert [partner.complaints() for partner in three] == [[], [], []]
    assert '"/oicp/charging/v21/operators/DE%2AABC/authorize/start"' in emp.receipts.read_text()
    for partner in three:
        partner.process.stop()
        assert not partner.process.is_running
    assert "Traceback" not in hub.process.log_text() + cpo.process.log_text() + emp.process.log_text()
