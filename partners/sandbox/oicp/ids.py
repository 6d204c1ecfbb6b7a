"""Ids of OICP as they are compared: upper case, without separators."""

from __future__ import annotations

import re
import uuid

_SEPARATORS = re.compile(r"[*+|\-]")


def folded(text: str) -> str:
    """`de*abc*e1` and `DEABCE1` are one; so are `+49*810` and `49*810`."""
    return _SEPARATORS.sub("", text).upper()


def is_of(long_id: str, party_id: str) -> bool:
    """Does an EvseID, or an EvcoID, begin with the id of this operator, or provider?"""
    return folded(long_id).startswith(folded(party_id))


def new_session() -> str:
    """A SessionID."""
    return str(uuid.uuid4())
