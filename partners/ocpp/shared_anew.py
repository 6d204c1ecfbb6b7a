"""Which part is of which of several charges of one id, once one more of them was told to begin: all of them anew.

What a part is of is found when it is heard, from what was heard until then. A Started tells more of what came before
it. So all that was told is looked at again as if it had come in this order, whatever order it came in:

    the Starteds   each of the charge that it was taken for
    the ends       as they happened; one before which none began at its EVSE is of a charge whose beginning was not told
    all others     as they happened, with all ends known

One of the moment of a beginning stays where it is: it may be the end of the charge before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from partners.ocpp import belonging
from partners.ocpp.beginnings import made_up
from partners.ocpp.events import Event, StartKey, start_key
from partners.ocpp.facts import Facts
from partners.ocpp.matching import Start
from partners.ocpp.surroundings import happened


def named_anew(facts: Facts, started: Event, told: Sequence[Event]) -> Iterator[tuple[Event, str]]:
    """Each part in `told` but the Starteds, with the name of the charge that it is of.

    `told` is all that is on record of the id of `started`, which was heard just now; `facts` are the station's.
    """
    known = Facts.gathered(facts.station, [*(part for part in told if part.is_started), started])
    heard = [(replace(part, arrival=facts.first_heard(part)), part) for part in told if not part.is_started]
    for event, part in sorted(heard, key=lambda pair: (not pair[0].is_ended, happened(pair[0]))):
        name = _name(facts, known, event)
        if event.is_ended or event.id_tag or not _is_begun(known, event, name):
            known = known.with_event(replace(event, assigned=name, readings=(), signed=()))
        yield part, name


def _name(facts: Facts, known: Facts, event: Event) -> str:
    there = [start for start in known.starts.values() if belonging.is_at(event, start)]
    if event.is_ended:
        there = [start for start in there if _began_before(start, event)]
    if not there:
        return _name_of_one_more(facts, known, event)
    name = belonging.nearest(known, event, there, now=event.named)
    is_of_none = belonging.is_of_none(known, event, known.starts[_key(event, name)])
    return _name_of_one_more(facts, known, event) if is_of_none else name


def _began_before(start: Start, event: Event) -> bool:
    """Or at that moment, if it is taken for this one's."""
    began, at = belonging.began(start), happened(event)
    return began < at or (began == at and start.key.named == event.named)


def _name_of_one_more(facts: Facts, known: Facts, event: Event) -> str:
    """The first charge of an id is called by it; where that was put away, none at hand is."""
    first = _key(event, str(event.transaction))
    return first.named if first in facts.starts and first not in known.starts else made_up(event)


def _key(event: Event, name: str) -> StartKey:
    return start_key(replace(event, assigned=name))


def _is_begun(known: Facts, event: Event, name: str) -> bool:
    start = known.starts.get(_key(event, name))
    return start is not None and belonging.is_begun(start)
