"""One exchange of credentials with a partner at a time, whoever began it and in whichever process.

Whoever asks a partner to register, or to take new tokens, first marks its row. All who write the row do so upon the
version that they read, so of two that begin at once one finds the other's mark and is told so; and while the mark
stands, the partner's own POST or PUT is told to come again (`modules/credentials/service`). It has an end, for the case
that its process dies meanwhile: then nobody knows how the exchange ended, and it is made again (`telling.py`). Our new
token stands on the row with the mark: the partner calls back with it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from hub.core.errors import Conflict
from hub.core.ports import Hub
from hub.core.registry import IssuedToken, Partner, TokenUse

_SPARE_S: Final = 10.0


def taken(hub: Hub, fingerprint: str, partner: Partner) -> Partner:
    """With the mark, and with our new token. Raises: Conflict, when it is somebody else's turn."""
    now = hub.clock.now()
    if partner.is_busy(now):
        raise under_way(partner.name)
    until = now + timedelta(seconds=hub.settings.outbound_timeout_s + _SPARE_S)
    return _with(partner, fingerprint, TokenUse.PROBE).model_copy(update={"busy_until": until})


def is_held(fingerprint: str, partner: Partner) -> bool:
    """Is it still the turn of who issued this token?"""
    return any(t.fingerprint == fingerprint and t.use is TokenUse.PROBE for t in partner.our_tokens)


def given_back(fingerprint: str, use: TokenUse | None, partner: Partner) -> Partner:
    """Without the mark; our new token is good for `use` from now on, or void. LIVE: the partner may have taken it."""
    if not is_held(fingerprint, partner):
        return partner
    unsettled = partner.unsettled or use is TokenUse.LIVE  # a refusal says nothing of an exchange before it
    return _with(partner, fingerprint, use).model_copy(update={"busy_until": None, "unsettled": unsettled})


def is_left_behind(partner: Partner, now: datetime) -> bool:
    """Has who set the mark died, or given up without a word?"""
    return partner.busy_until is not None and not partner.is_busy(now)


def without_old_mark(now: datetime, partner: Partner) -> Partner:
    """A connected partner without a mark that was left behind: it may have taken the token that it was given."""
    if not is_left_behind(partner, now):
        return partner
    tokens = tuple(
        token.model_copy(update={"use": TokenUse.LIVE}) if token.use is TokenUse.PROBE else token
        for token in partner.our_tokens
    )
    return partner.model_copy(update={"our_tokens": tokens, "busy_until": None, "unsettled": True})


def under_way(name: str) -> Conflict:
    """What the one is told who came second."""
    return Conflict(f"credentials are being exchanged with {name} already; try again in a minute")


def _with(partner: Partner, fingerprint: str, use: TokenUse | None) -> Partner:
    others = tuple(token for token in partner.our_tokens if token.fingerprint != fingerprint)
    held = () if use is None else (IssuedToken(fingerprint=fingerprint, use=use),)
    return partner.model_copy(update={"our_tokens": (*held, *others)})
