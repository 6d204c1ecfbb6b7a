"""What chargers are forgiven, over the API."""

from __future__ import annotations

from partners.ocpp.quirks import Make, Quirks
from tests.hub.house import House


async def test_quirks_are_listed_by_make_the_most_frequent_first_and_by_a_pattern_of_models(house: House) -> None:
    counter = Quirks(house.program.hub)
    for station, words, times in (("CP1", "rare", 1), ("CP1", "often", 3), ("CP2", "other", 2)):
        for _ in range(times):
            counter.count(station, words)
    await counter.write(lambda station: Make("Acme", "Terra 1" if station == "CP1" else "Alpha", "1.0"))
    told = (await house.ask("GET", "/api/v1/quirks")).tree
    assert [(row["model"], row["quirk"], row["times"]) for row in told["items"]] == [
        ("Alpha", "other", 2),
        ("Terra 1", "often", 3),
        ("Terra 1", "rare", 1),
    ]
    one = (await house.ask("GET", "/api/v1/quirks?model=terra*")).tree
    assert [row["station"] for row in one["items"]] == ["CP1", "CP1"]
