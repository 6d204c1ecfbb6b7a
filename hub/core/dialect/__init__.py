"""Versions are differences: OCPI 2.1.1 and 2.2.1 told as tables against our own form, which is 2.3.0.

    tables     Dialect: what a version has that we have not, and the other way round
    forms      the wire model and the JSON Schema of a version, derived from our model and its dialect
    handlers   how one value is translated, and what happens where it cannot be
    translate  both translations, compiled from the same tables
    ids        where a version names things by ids that only their owner understands
    gaps       what one version may lose on the way to another, told from the tables before anything is sent
    shared     the dialects of prices and images; zones: a time zone for a place of 2.1.1
    wire       Wire: read, read_patch, write, write_patch, schema

The law: translating a part and merging it gives the same as merging first and translating then, and whatever a
translation cannot carry is reported as a Loss. What would arrive as something else is NotExpressible and never sent.
"""

from hub.core.dialect.gaps import Gap
from hub.core.dialect.tables import (
    ABSENT,
    VERSIONS,
    Convert,
    Dialect,
    Dialects,
    Finish,
    Loss,
    NotExpressible,
    Only,
    Trip,
    What,
)
from hub.core.dialect.wire import NO_CONTEXT, Wire, wires

__all__ = [
    "ABSENT",
    "NO_CONTEXT",
    "VERSIONS",
    "Convert",
    "Dialect",
    "Dialects",
    "Finish",
    "Gap",
    "Loss",
    "NotExpressible",
    "Only",
    "Trip",
    "What",
    "Wire",
    "wires",
]
