"""A request of a CPO of 2.1.1 about its own things: heard by the names that they have here, answered by its own ids."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Final

from hub.core.answers import Answer
from hub.core.dialect import VERSIONS
from hub.core.dialect.ids import Id
from hub.core.errors import Conflict
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json
from hub.core.operations import CPO_LIKE
from hub.core.own_ids import IN_PATHS, MARK, NOWHERE, Names, Said

if TYPE_CHECKING:
    from hub.core.dispatch import Call

CarryOut = Callable[[Mapping[str, str]], Awaitable[Answer]]
"""Does what is asked, by the parameters of the path and by what the call has received."""

_ATTEMPTS: Final = 3


def speaks_of_its_own(call: Call) -> bool:
    """Are the ids in this request those that the caller, a CPO of 2.1.1, chose for its own things?"""
    return call.version == VERSIONS[0] and call.operation.callers <= CPO_LIKE


async def in_own_words(call: Call, carry_out: CarryOut) -> Answer:
    """`carry_out`, between two translations; once more, where somebody took a new name meanwhile."""
    said, raw, path = call.received, call.raw, call.reading.parameters
    spots = (call.operation.body[call.version].spots if call.operation.body is not None else None) or NOWHERE
    own_ids, party = call.hub.own_ids, _owner(call)
    for left in reversed(range(_ATTEMPTS)):
        ids = Said(party, *spots.ids(said), IN_PATHS.ids(path).referred, is_part=call.operation.patch)
        names = await own_ids.names(ids)
        call.received, call.raw = said, raw
        if names.others and raw:
            call.received = spots.renamed(said, names.others)
            call.raw = encode(call.received)
        try:
            with own_ids.spoken(names):
                answer = await carry_out(IN_PATHS.renamed(path, names.others) if names.others else path)
        except Conflict:
            if not (names.new and left):
                raise
            continue
        return await _answered(call, party, names, answer)
    raise Conflict


def _owner(call: Call) -> str:
    """Whose things the ids name: the party's of the path, which the operation checks, else the caller's one."""
    path = call.reading.parameters
    if "country_code" not in path:
        return call.partner.party
    return f"{path['country_code']}*{path['party_id']}".upper()


async def _answered(call: Call, party: str, names: Names, answer: Answer) -> Answer:
    answers: Json = call.operation.answer
    spots = answers[call.version].spots if answers is not None else None
    if spots is None or answer.data is None or MARK.encode() not in answer.data:
        return answer
    tree = parse(answer.data, limit=len(answer.data))
    just_said = {Id(each.sort, name): each.text for each, name in names.others.items()}
    own = {**just_said, **await call.hub.own_ids.ids(party, chain(*spots.ids(tree)))}
    answer.data = encode(spots.renamed(tree, own))
    call.reading.ready = None
    return answer
