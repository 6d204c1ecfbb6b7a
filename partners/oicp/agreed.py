"""The terms agreed with a partner, from what is configured of its connection."""

from __future__ import annotations

from partners.oicp.connections import Connection
from partners.oicp.mapping.terms import Terms, terms_of


def terms_with(connection: Connection) -> Terms:
    """Raises: InvalidRequest, for an option that is none."""
    told = {"operator_style": connection.operator_style, "provider_style": connection.provider_style}
    return terms_of({**told, "countries": connection.countries, **connection.terms})
