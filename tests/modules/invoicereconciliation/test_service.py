"""Records of our own invoices: made from our CDRs, told, corrected, withdrawn, and checked."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.errors import InvalidRequest, NotFound, PeerRefused
from hub.core.inbound import parse
from modules.invoicereconciliation import service
from modules.invoicereconciliation.check import check
from modules.invoicereconciliation.publication import InvoicePublication
from modules.invoicereconciliation.store import INVOICED, RECORDS, key_of
from tests.world import OURS, Sent, World, a_furnished, a_world


@pytest.fixture
def version() -> str:
    """The only one that has the module."""
    return "2.3.0"


async def deliver(world: World, record_id: str, *what: str, to: str = "e1") -> list[tuple[str, str, str]]:
    world.peers.sent.clear()
    await InvoicePublication().deliver(world.hub, world.partner(to), key_of(OURS, record_id), frozenset(what))
    return world.peers.to(to)


async def test_an_invoice_of_ours_is_told_to_who_pays_and_to_nobody_else(world: World) -> None:
    cdrs = [await world.charge("NL*EEE"), await world.charge("NL*EEE")]
    tree = await service.issue(world.hub, "INV 1", cdrs, actor="jo", record_id="R1")
    assert tree["cdrs"] == cdrs
    assert await deliver(world, "R1", service.NEW) == [("POST", "invoicereconciliation", "")]
    assert world.peers.sent[0].body["invoice_id"] == "INV 1"
    assert await deliver(world, "R1", service.NEW, to="e2") == []
    assert await deliver(world, "R1", "") == [("PUT", "invoicereconciliation", "DE/BSB/R1")]


async def test_a_post_that_had_arrived_is_put_and_a_put_that_was_missed_is_posted(world: World) -> None:
    await service.issue(world.hub, "INV 1", [await world.charge("NL*EEE")], actor="jo", record_id="R1")

    def refuses(method: str, http: int) -> None:
        def script(sent: Sent) -> None:
            if sent.method == method:
                raise PeerRefused("no", http=http, status_code=2001)

        world.peers.script = script

    refuses("POST", 200)
    assert [each[0] for each in await deliver(world, "R1", service.NEW)] == ["POST", "PUT"]
    refuses("PUT", 404)
    assert [each[0] for each in await deliver(world, "R1")] == ["PUT", "POST"]
    refuses("PUT", 200)
    with pytest.raises(PeerRefused):
        await deliver(world, "R1")


async def test_a_withdrawn_record_is_deleted_and_its_cdrs_are_free_again(world: World) -> None:
    cdr = await world.charge("NL*EEE")
    await service.issue(world.hub, "INV 1", [cdr], actor="jo", record_id="R1")
    await service.withdraw(world.hub, "R1", actor="jo")
    assert await deliver(world, "R1", f"{service.DELETED}R1") == [("DELETE", "invoicereconciliation", "DE/BSB/R1")]
    assert await deliver(world, "R1", service.NEW, f"{service.DELETED}R1") == []
    await service.issue(world.hub, "INV 2", [cdr], actor="jo")
    with pytest.raises(NotFound):
        await service.withdraw(world.hub, "R1", actor="jo")


async def test_a_record_that_would_be_wrong_is_not_made(world: World) -> None:
    mine, others = await world.charge("NL*EEE"), await world.charge("NL*FFF")
    await service.issue(world.hub, "INV 1", [await world.charge("NL*EEE")], actor="jo", record_id="R1")
    invoiced = (await world.store.select(INVOICED))[0].key.split("/")[1]
    async with world.unchanged():
        for cdrs, why in (
            ([mine, "NONE"], "/cdrs/1: we have no such CDR"),
            ([mine, others], "for different parties: NL\\*EEE, NL\\*FFF"),
            ([mine, mine.upper()], "one stands twice"),
            ([invoiced], "/cdrs/0: is on the invoice of DE\\*BSB/R1 already"),
            ([], "/cdrs"),
        ):
            with pytest.raises(InvalidRequest, match=why):
                await service.issue(world.hub, "INV 2", cdrs, actor="jo")
        with pytest.raises(InvalidRequest, match="a record R1 already"):
            await service.issue(world.hub, "INV 2", [mine], actor="jo", record_id="R1")
        with pytest.raises(InvalidRequest, match="withdraw it"):
            await service.correct(world.hub, "R1", "INV 1", [others], actor="jo")


async def test_a_correction_frees_what_it_leaves_out(world: World) -> None:
    first, second = await world.charge("NL*EEE"), await world.charge("NL*EEE")
    await service.issue(world.hub, "INV 1", [first], actor="jo", record_id="R1")
    assert (await service.correct(world.hub, "r1", "INV 1", [second], actor="jo"))["cdrs"] == [second]
    await service.issue(world.hub, "INV 2", [first], actor="jo", record_id="R2")
    with pytest.raises(InvalidRequest, match="is on the invoice of"):
        await service.correct(world.hub, "R2", "INV 2", [first, second], actor="jo")


async def test_a_record_agrees_when_every_cdr_is_known_once_between_the_two(world: World) -> None:
    cdrs = [await world.charge("NL*EEE", kwh="10"), await world.charge("NL*EEE", kwh="2")]
    await service.issue(world.hub, "INV 1", cdrs, actor="jo", record_id="R1")
    (kept,) = await world.store.select(RECORDS)
    found = await check(world.hub, kept)
    assert found["agrees"] is True
    (total,) = found["totals"]
    assert (total["currency"], total["cdrs"], total["before_taxes"]) == ("EUR", 2, Decimal(6))
    assert total["after_taxes"] == Decimal("7.14")


async def test_a_record_that_does_not_agree_says_where(world: World) -> None:
    mine, others = await world.charge("NL*EEE"), await world.charge("NL*FFF")
    tree = {
        "country_code": "NL",
        "party_id": "EEE",
        "id": "R9",
        "invoice_id": "X",
        "cdrs": [mine, mine.upper(), others, "NONE"],
        "last_updated": "2026-05-04T10:00:00Z",
    }
    said = await world.ask("POST", world.at("receiver/invoicereconciliation"), by="e1", body=tree)
    assert said.http == 201
    (kept,) = await world.store.select(RECORDS)
    found = await check(world.hub, kept)
    assert [line["state"] for line in found["cdrs"]] == ["found", "repeated", "foreign", "unknown"]
    assert found["agrees"] is False


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["issue", "correct", "withdraw"]), st.integers(0, 2), st.sets(st.integers(0, 3), min_size=1)
        ),
        max_size=8,
    )
)
async def test_no_cdr_is_ever_on_two_invoices_of_ours(
    furnished: Path, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, set[int]]]
) -> None:
    async with a_world(await a_furnished(furnished, tmp_path_factory.mktemp("law"), "2.3.0"), "2.3.0") as world:
        cdrs = [await world.charge("NL*EEE") for _ in range(4)]
        for step, record, chosen in steps:
            ids = [cdrs[each] for each in sorted(chosen)]
            try:
                if step == "issue":
                    await service.issue(world.hub, "I", ids, actor="jo", record_id=f"R{record}")
                elif step == "correct":
                    await service.correct(world.hub, f"R{record}", "I", ids, actor="jo")
                else:
                    await service.withdraw(world.hub, f"R{record}", actor="jo")
            except (InvalidRequest, NotFound):
                continue
        kept = [parse(each.body, limit=65_536)["cdrs"] for each in await world.store.select(RECORDS)]
        on_invoices = sorted(cdr for each in kept for cdr in each)
        assert len(set(on_invoices)) == len(on_invoices)
        held = sorted(each.key.split("/")[1].lower() for each in await world.store.select(INVOICED))
        assert held == on_invoices
