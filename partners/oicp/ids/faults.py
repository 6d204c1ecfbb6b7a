"""What is wrong with an id."""

from __future__ import annotations

from hub.core.errors import InvalidRequest


class InvalidId(InvalidRequest):
    """This is no id of its kind. The text never holds the id: it may be a card's."""


class UnknownCountry(InvalidId):
    """The calling code of this operator belongs to no country, or to several: configuration must say to which."""
