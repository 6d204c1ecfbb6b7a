"""Which of the samples that wait are taken into the ledger, when a charger tells more than anybody can use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Final

from partners.ocpp.samples import Glimpse, Sample

SPARSE: Final = timedelta(seconds=10)
"""Nobody needs the course of a charge more finely."""
FEW: Final = 16
"""So many samples are all taken in, however close."""


def thinned(waiting: Sequence[Sample], since: datetime) -> list[Sample]:
    """The samples to take in: of those that come faster than anybody can use, one each `SPARSE`.

    The bill stays what it is: between those that are left out the register only rises, and the last is never left out.
    What is not later than `since`, the last that was taken in, is not left out either.
    """
    if len(waiting) <= FEW:
        return list(waiting)
    kept: list[Sample] = []
    for is_plain, group in groupby(waiting, key=lambda each: each.glimpse is not None and each.glimpse.at > since):
        several = list(group)
        kept += _sparse(several) if is_plain else several
    return kept


def _sparse(plain: Sequence[Sample]) -> list[Sample]:
    """Those of plain samples, one after the other, that matter."""
    meters: dict[int, list[tuple[Glimpse, datetime]]] = {}
    for sample in plain:
        if sample.glimpse is not None:
            meters.setdefault(sample.glimpse.connector, []).append((sample.glimpse, sample.arrival))
    matter: set[datetime] = set()
    for told in meters.values():
        told.sort()
        (before, first), (_, last) = told[0], told[-1]
        matter |= {first, last}
        for (own, arrival), (after, _) in pairwise(told[1:]):
            if own.at >= before.at + SPARSE or not before.register <= own.register <= after.register:
                matter.add(arrival)
                before = own
    return [sample for sample in plain if sample.arrival in matter]
