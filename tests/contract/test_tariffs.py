"""Tariffs as partners pull them. OCPI mod_tariffs_sender_interface."""

from __future__ import annotations

from modules.tariffs import service as tariffs
from tests.world import OURS, World


async def test_a_tariff_is_shown_in_the_words_of_the_version(world: World) -> None:
    (shown,) = (await world.ask("GET", world.at("sender/tariffs"), by="e1")).data
    assert (shown["id"], shown["currency"]) == ("T1", "EUR")
    (component,) = shown["elements"][0]["price_components"]
    assert (component["type"], component["price"], component["step_size"]) == ("ENERGY", 0.5, 1)
    assert ("vat" in component) is (world.version != "2.1.1")
    assert ("tax_included" in shown) is (world.version == "2.3.0")


async def test_there_is_no_get_of_one_tariff(world: World) -> None:
    assert (await world.ask("GET", world.at("sender/tariffs/T1"), by="e1")).http == 404


async def test_a_withdrawn_tariff_is_gone_from_the_list(world: World) -> None:
    await tariffs.delete(world.store, OURS, "T1")
    assert (await world.ask("GET", world.at("sender/tariffs"), by="e1")).data == []
