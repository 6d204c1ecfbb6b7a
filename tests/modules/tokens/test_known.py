"""Cards that are answered from memory: exactly as `authorize` would, and only as long as nothing was written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from modules.tokens import service as tokens
from modules.tokens.authorize import authorize
from modules.tokens.known import KnownCards
from modules.tokens.model import Token
from tests.partners.ocpp.site import ASKED_CARD, BLOCKED_CARD, CARD, THEIRS, Site, a_site, token

AT = "CP1"


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(tmp_path) as made:
        yield made


async def shown(site: Site, cards: KnownCards, uid: str) -> str:
    """What `authorize` says, which is then remembered."""
    revisions = cards.revisions()
    decision = await authorize(site.hub, uid, None, at=AT)
    cards.learn(uid, AT, decision, revisions)
    return decision.allowed


@pytest.mark.parametrize(("uid", "allowed"), [(CARD, "ALLOWED"), (BLOCKED_CARD, "BLOCKED")])
async def test_a_card_that_needs_nobodys_word_is_known_once_it_was_shown(site: Site, uid: str, allowed: str) -> None:
    cards = KnownCards(site.hub)
    assert cards.answer(uid, AT) is None
    assert await shown(site, cards, uid) == allowed
    answer = cards.answer(uid, AT)
    assert answer is not None
    assert (answer.allowed, answer.group_id) == (allowed, None)
    assert cards.answer(uid, "CP2") is None


@pytest.mark.parametrize("uid", [ASKED_CARD, "STRANGER"])
async def test_a_card_that_must_be_asked_for_is_never_known(site: Site, uid: str) -> None:
    cards = KnownCards(site.hub)
    await shown(site, cards, uid)
    assert (cards.answer(uid, AT), len(cards)) == (None, 0)


async def test_any_change_of_a_token_makes_cards_unknown(site: Site) -> None:
    cards = KnownCards(site.hub)
    await shown(site, cards, CARD)
    card = Token.model_validate(token(CARD, valid=False, whitelist="NEVER"))
    await tokens.put(site.hub.store, THEIRS, CARD, card, now=site.hub.clock.now())
    assert cards.answer(CARD, AT) is None


async def test_what_was_decided_before_a_change_is_not_learnt_after_it(site: Site) -> None:
    cards = KnownCards(site.hub)
    revisions = cards.revisions()
    decision = await authorize(site.hub, CARD, None, at=AT)
    other = Token.model_validate(token("OTHER"))
    await tokens.put(site.hub.store, THEIRS, "OTHER", other, now=site.hub.clock.now())
    cards.learn(CARD, AT, decision, revisions)
    assert len(cards) == 0


async def test_the_card_of_a_partner_that_is_gone_is_not_known(site: Site) -> None:
    cards = KnownCards(site.hub)
    await shown(site, cards, CARD)
    site.hub.registry._holders.clear()
    assert cards.answer(CARD, AT) is None


async def test_memory_is_bounded_and_forgets_the_card_shown_longest_ago(site: Site) -> None:
    cards = KnownCards(site.hub, most=2)
    for uid in (CARD, BLOCKED_CARD):
        await shown(site, cards, uid)
    assert cards.answer(CARD, AT) is not None
    await shown(site, cards, CARD.lower())
    assert len(cards) == 2
    assert cards.answer(BLOCKED_CARD, AT) is None
    assert cards.answer(CARD, AT) is not None
