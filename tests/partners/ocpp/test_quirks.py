"""What chargers are forgiven is counted by make and firmware, and kept."""

from __future__ import annotations

from datetime import timedelta

from partners.ocpp import quirks
from partners.ocpp.quirks import Make, Quirks
from tests.partners.ocpp.site import CARD, Site, recently

TWO = Make("Acme", "Two", "")


async def counted(site: Site) -> dict[str, int]:
    """By its words, of all that is on record of the charger in these tests."""
    await site.gateway.transactions.quirks.write(site.gateway.stations.make_of)
    known = {each.model: each for each in await quirks.listed(site.hub.store)}
    return {words: seen.times for words, seen in known["Two"].quirks.items()} if "Two" in known else {}


async def test_a_charger_without_faults_has_none(site: Site) -> None:
    async with await site.point() as cp:
        cp.answers |= {"GetConfiguration": {}, "TriggerMessage": {"status": "Accepted"}}
        await cp.boot()
        started = await cp.start(recently(60))
        await cp.meter(recently(30), 1500, started["transactionId"])
        await cp.stop(recently(0), started["transactionId"], 2000)
        assert await counted(site) == {}


async def test_messages_that_break_their_schema_are_counted_by_where_and_never_by_what(site: Site) -> None:
    async with await site.point() as cp:
        await cp.boot()
        for _ in range(2):
            odd = {"connectorId": 1, "errorCode": "SecretCode77", "status": "Available"}
            await cp.call("StatusNotification", odd)
        sample = {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"value": "1"}, {"value": 77}]}
        await cp.call("MeterValues", {"connectorId": 1, "meterValue": [sample]})
        found = await counted(site)
    assert found["sends StatusNotification against its schema: /errorCode, by enum"] == 2
    assert found["sends MeterValues against its schema: /meterValue/*/sampledValue/*/value, by type"] == 1
    assert not any("77" in words for words in found)


async def test_unknown_actions_on_either_side_and_frames_that_are_none_are_counted(site: Site) -> None:
    async with await site.point() as cp:
        await cp.boot()
        await cp.exchange([2, "x1", "MakeCoffee", {}])
        await cp.exchange([2, "x2", "04ABCDEF01", {}])
        await cp.exchange([2, "x3", "Heartbeat"])
        await site.gateway.stations.call("CP1", "ClearCache", {})
        found = await counted(site)
    assert found["calls MakeCoffee, which is not served"] == 1
    assert found["calls what is no action, which is not served"] == 1
    assert found["does not know ClearCache"] == 1
    assert any(words.startswith("sends what is no message") for words in found)


async def test_what_was_odd_about_a_charge_is_counted_when_it_is_over(site: Site) -> None:
    async with await site.point() as cp:
        await cp.boot()
        await cp.start(recently(60))
        await cp.stop(recently(0), 0, 2000, idTag=CARD)
        await cp.stop(recently(0), 424242, 2000)
        found = await counted(site)
    assert found["of a charge: the stop named an unknown transaction and was matched by token, meter and time"] == 1
    assert found[quirks.LONE_STOP] == 1


async def test_a_clock_that_is_off_is_counted_once_a_connection(site: Site) -> None:
    async with await site.point() as cp:
        await cp.boot()
        ahead = recently(0) + timedelta(hours=1)
        for _ in range(4):
            await cp.status(1, "Available", ahead)
        counter = site.gateway._ticker
        for _ in range(2):
            await counter._count_quirks()
        assert (await counted(site))[quirks.CLOCK] == 1


async def test_counts_of_several_gateways_and_lives_add_up(site: Site) -> None:
    first, second = Quirks(site.hub), Quirks(site.hub)
    for counter, station, times in ((first, "CP1", 2), (second, "CP2", 3)):
        for _ in range(times):
            counter.count(station, "odd")
        await counter.write(lambda _: TWO)
    (known,) = await quirks.listed(site.hub.store)
    assert (known.vendor, known.quirks["odd"].times, known.quirks["odd"].station) == ("Acme", 5, "CP2")
    assert known.quirks["odd"].first <= known.quirks["odd"].last


async def test_a_charger_that_makes_up_oddities_fills_no_store(site: Site) -> None:
    counter = Quirks(site.hub)
    for number in range(500):
        counter.count("CP1", f"odd {number} {'x' * 500}")
    await counter.write(lambda _: TWO)
    (known,) = await quirks.listed(site.hub.store)
    assert len(known.quirks) == 200
    assert max(map(len, known.quirks)) == 200


async def test_what_is_counted_outlives_the_gateway(site: Site) -> None:
    async with await site.point() as cp:
        await cp.boot()
        await cp.exchange([2, "x1", "MakeCoffee", {}])
    await site.restart()
    assert (await counted(site))["calls MakeCoffee, which is not served"] == 1
