"""The terms agreed with a partner, from what is configured of its connection; of an operator there, with its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from partners.oicp.connections import Connection
from partners.oicp.mapping.terms import Terms, terms_of


def terms_with(connection: Connection, operator: Mapping[str, Any] | None = None) -> Terms:
    """`operator`: what was said of the operator (`Operators.said`); what the connection says itself goes before it.

    Raises: InvalidRequest, for an option that is none.
    """
    told = {"operator_style": connection.operator_style, "provider_style": connection.provider_style}
    return terms_of({**(operator or {}), **told, "countries": connection.countries, **connection.terms})
