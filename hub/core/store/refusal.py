"""Why a database is not opened."""

from __future__ import annotations


class DatabaseRefused(Exception):
    """The database cannot be used as it is. The message is one sentence for the operator, without a password."""
