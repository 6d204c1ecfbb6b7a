"""Who is next in a campaign, by what is on record alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from partners.ocpp.care.campaigns import Campaign, Rules
from partners.ocpp.care.choosing import Choice, choose
from partners.ocpp.care.updates import State, Update

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)
CAMPAIGN = Campaign("c", "fw", "M", "2", Rules(canary=2, batch=3, stop_after=2), NOW)


def queue(*states: State) -> list[Update]:
    """Stations in these states; who has moved was told once."""
    return [
        Update("c", f"CP{n}", "M", "2", n, NOW, state=state, attempt=int(state not in ("scheduled", "dropped")))
        for n, state in enumerate(states)
    ]


def chosen(*states: State, campaign: Campaign = CAMPAIGN) -> Choice:
    return choose(campaign, queue(*states), NOW)


def test_no_more_than_the_canaries_are_under_way_until_all_of_them_are_verified() -> None:
    assert chosen("scheduled", "scheduled", "scheduled").room == 2
    assert chosen("asked", "scheduled", "scheduled").room == 1
    assert chosen("verified", "installed", "scheduled").room == 0


def test_then_as_many_as_a_batch_holds_at_a_time() -> None:
    rest: tuple[State, ...] = ("scheduled",) * 5
    assert chosen("verified", "verified", *rest).room == 3
    assert chosen("verified", "verified", "asking", "downloading", *rest).room == 1
    assert chosen("verified", "verified", "asking", "downloading", "installing", *rest).room == 0


def test_one_that_had_the_version_already_is_no_canary() -> None:
    had = [replace(update, attempt=0) for update in queue("verified", "verified")]
    assert choose(CAMPAIGN, [*had, *queue("scheduled", "scheduled", "scheduled")], NOW).room == 2


def test_the_first_canary_that_fails_stops_it_and_later_so_many_as_were_said() -> None:
    assert chosen("failed", "scheduled").stop
    assert not chosen("verified", "verified", "failed", "scheduled").stop
    assert chosen("verified", "verified", "failed", "failed", "scheduled").stop


def test_what_an_operator_has_forgiven_stops_nothing_again() -> None:
    forgiving = replace(CAMPAIGN, forgiven=1)
    assert chosen("failed", "scheduled", "scheduled", campaign=forgiving).room == 2
    assert chosen("failed", "failed", "scheduled", campaign=forgiving).stop


def test_a_next_attempt_waits_for_its_time_and_a_campaign_for_it() -> None:
    waiting = replace(queue("scheduled")[0], not_before=NOW + timedelta(seconds=1))
    assert choose(CAMPAIGN, [waiting], NOW).candidates == ()
    assert not choose(CAMPAIGN, [waiting], NOW).is_done
    assert choose(CAMPAIGN, [waiting], NOW + timedelta(seconds=1)).candidates == (waiting,)


def test_it_is_done_when_everybody_is_through() -> None:
    assert chosen("verified", "verified", "failed").is_done
    assert chosen().is_done
