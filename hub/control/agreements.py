"""Agreements in the operator's hands, and what they make of a message."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from hub.control.asks import NewRule, RouteAsked, Rule
from hub.core.agreement_rules import ALL
from hub.core.agreements import Agreement, Verdict
from hub.core.answers import row_of
from hub.core.errors import BusbarError, InvalidRequest, NotInTheirVersion, PeerNonsense
from hub.core.jsontypes import Tree
from hub.core.operations import ADDRESSEES, ANYBODY, CPO, CPO_LIKE, EMSP_LIKE
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.routing import EVERYBODY, Message, Receiver, decide, known_receiver
from modules.bookings.store import MODULE as BOOKINGS
from modules.invoicereconciliation.store import MODULE as INVOICES
from modules.payments.service import PTP
from modules.tokens.whose import addressee, check_named

if TYPE_CHECKING:
    from hub.app import Program

SHARED: Final = {"locations": ADDRESSEES, "tariffs": ADDRESSEES, "tokens": CPO_LIKE}
"""Modules whose objects are meant for everybody, and in which roles a party may be sent one by name."""
ADDRESSED: Final = {INVOICES: (EMSP_LIKE | CPO, EMSP_LIKE | CPO), "payments": (PTP, CPO)}
"""Modules whose objects an owner pushes for one party: the roles of owners, and of those whom they may be for."""
_BROADCAST: Final = (*SHARED, BOOKINGS, *ADDRESSED)
"""Modules of which partners are told as far as agreements let them."""
BROUGHT: Final = frozenset({"sessions", "cdrs"})
"""Modules whose objects a CPO brings for one party: the owner of the token that is in them."""
_WRITING: Final = frozenset({"PUT", "PATCH", "POST"})
_COPIES: Final = "our copies of what it may see"
_PUSHED: Final = ("RECEIVER",)
_EITHER: Final = ("RECEIVER", "SENDER")


def listed(program: Program) -> Tree:
    """All agreements in the order in which they decide, and what holds where none fits."""
    items = [_shown(rule) for rule in program.hub.agreements.all()]
    return {"items": items, "total": len(items), "default": program.settings.sharing}


async def put(program: Program, rule: NewRule, *, actor: str) -> Tree:
    """Make an agreement, or change what it says; whom it lets in is brought what is there.

    Raises: InvalidRequest, also where the viewer is no partner: a rule for a name that was mistyped keeps nobody out.
    """
    hub, agreement = program.hub, _agreement(rule)
    if not rule.ahead:
        _check_is_partner(hub, agreement.viewer)
    created = await hub.agreements.put(agreement, actor=actor, shared=_BROADCAST)
    return {**rule.model_dump(exclude={"ahead"}), "created": created, "warnings": list(_not_here(hub, agreement))}


def _check_is_partner(hub: Hub, viewer: str) -> None:
    """Raises: InvalidRequest, where it is neither a partner nor a party."""
    if "*" in viewer or not viewer or hub.registry.find(viewer) is not None:
        return
    near = get_close_matches(viewer, [partner.name for partner in hub.registry.all()], n=1)
    meant = f" (is it {near[0]}?)" if near else ""
    raise InvalidRequest(f"/viewer: there is no partner {viewer}{meant}; one that comes later is named `ahead`")


def _not_here(hub: Hub, rule: Agreement) -> Iterator[str]:
    """Of whom it speaks in vain, for now."""
    if "*" not in rule.viewer and hub.registry.find(rule.viewer) is None:
        yield f"there is no partner {rule.viewer}: until there is, this rule is for nobody"
    for name, party in (("viewer", rule.viewer), ("owner", rule.owner)):
        is_party = "*" in party and party != ALL
        if is_party and party not in hub.settings.own_parties and hub.registry.find_party(Party.parse(party)) is None:
            yield f"no partner is {party}, the {name} of this rule"


async def remove(program: Program, rule: Rule, *, actor: str) -> Tree:
    """End an agreement. Raises: NotFound, InvalidRequest."""
    agreement = _agreement(rule)
    await program.hub.agreements.remove(agreement, actor=actor, shared=_BROADCAST)
    return {"deleted": agreement.key}


def explain(program: Program, ask: RouteAsked) -> Tree:
    """Where such a message goes, who gets it, and which rule says so of each. Raises: NotFound, InvalidRequest."""
    hub, sender = program.hub, program.hub.registry.get(ask.sender)
    _check_there_is_such(program, ask)
    if ask.module in BROUGHT and ask.method in _WRITING and not sender.roles.isdisjoint(CPO_LIKE):
        return _brought(program, sender, ask)
    message = _message(sender, ask)
    try:
        goes = decide(hub, message)
    except BusbarError as fault:
        verdict, code = _verdict(hub, message, message.to or message.owner), row_of(fault).code
        why = fault.message if verdict.allowed else f"{verdict.rule}; its sender is told {code}: {fault.message}"
        return {"goes": "nowhere", "status_code": code, "why": why, "rule": verdict.rule, "gets": []}
    if isinstance(goes, Receiver):
        return _to_one(hub, message, goes, ask)
    if goes is EVERYBODY and ask.method != "GET":
        everybody = list(_everybody(program, sender, message.owner, ask.module))
        return {"goes": "everybody", "rule": "shared data", "gets": everybody}
    if goes is EVERYBODY:
        owners = hub.agreements.owners(sender, ask.module)
        return {"goes": "everybody", "rule": _COPIES, "gets": [], "owners": list(owners)}
    return {"goes": "ours", "rule": "this hub", "gets": []}


def _message(sender: Partner, ask: RouteAsked) -> Message:
    """As the module that takes it makes it."""
    shared, brought = ask.module in SHARED, ask.module in SHARED and ask.method != "GET"
    owners, receivers = ADDRESSED.get(ask.module, (ANYBODY, SHARED.get(ask.module, ANYBODY)))
    if ask.module in ADDRESSED and ask.to and ask.method in _WRITING and not sender.roles.isdisjoint(owners):
        shared = brought = True
    return Message(
        sender=sender,
        asker=sender.party,
        to=str(Party.parse(ask.to)) if ask.to else "",
        module=ask.module,
        owner=str(Party.parse(ask.owner)) if ask.owner else (sender.party if shared else ""),
        shared=shared,
        brought=brought,
        roles=receivers if brought else ANYBODY,
    )


def _verdict(hub: Hub, message: Message, party: str) -> Verdict:
    """May it go to `party`; of an object that it brings, may the party have that?"""
    owner, roles = message.owner, message.roles
    partner = hub.registry.find_party(Party.parse(party), roles, behind=owner) if message.brought else None
    if partner is None:
        return hub.agreements.reach(message.sender, party, message.module)
    verdict = hub.agreements.may(partner, message.owner, message.module)
    return verdict._replace(rule=_rule(hub, message.sender, party, message.module, verdict))


def _rule(hub: Hub, sender: Partner, party: str, module: str, verdict: Verdict) -> str:
    """The rule by which `party` gets an object of `sender` or not; and one that says otherwise the other way round."""
    other = hub.agreements.by_rule(sender, party, module)
    if other is None or other.allowed is verdict.allowed:
        return verdict.rule
    return f"{verdict.rule}; the other direction, what {sender.name} has of {party} and asks of it, is by {other.rule}"


def _to_one(hub: Hub, message: Message, to: Receiver, ask: RouteAsked) -> Tree:
    """One party answers; but for an object on a list, which is shown from our copies in its owner's name."""
    if ask.module in SHARED and not message.brought and to.party in hub.agreements.owners(message.sender, ask.module):
        return {"goes": "ours", "rule": _COPIES, "gets": [], "owners": [to.party]}
    rule = _verdict(hub, message, to.party).rule
    version = to.partner.version
    if version is not None and version not in _versions(hub, message.sender, ask):
        row, why = row_of(NotInTheirVersion()), f"the receiver speaks OCPI {version}, which has no such thing"
        return {"goes": "nowhere", "http": row.http, "status_code": row.code, "why": why, "rule": rule, "gets": []}
    if ask.module == INVOICES and message.brought:
        rule = f"{rule}; once a CDR on it is known to be with {to.party}"
    got = _got(to.partner, to.party, True, rule, ask.module, _PUSHED if message.brought else _EITHER)
    if message.brought and ask.module in SHARED and not got["gets"]:
        why = "the receiver does not offer this module"
        return {"goes": "nowhere", "status_code": row_of(PeerNonsense()).code, "why": why, "rule": rule, "gets": [got]}
    return {"goes": "party", "rule": rule, "gets": [got]}


def _versions(hub: Hub, sender: Partner, ask: RouteAsked) -> frozenset[str]:
    """Those that have such a request, as the sender's roles may make it."""
    found = [op for op in hub.operations if op.routed and (op.module, op.method) == (ask.module, ask.method)]
    own = [op for op in found if not op.callers.isdisjoint(sender.roles)]
    return frozenset(version for op in own or found for version in op.versions)


def _check_there_is_such(program: Program, ask: RouteAsked) -> None:
    """Raises: InvalidRequest, for a module or method that no request is routed by."""
    operations = [each for each in program.hub.operations if each.routed]
    modules = sorted({each.module for each in operations})
    if ask.module not in modules:
        raise InvalidRequest(f"/module: no such module is routed; there are {', '.join(modules)}")
    methods = sorted({each.method for each in operations if each.module == ask.module})
    if ask.method not in methods:
        raise InvalidRequest(f"/method: {ask.module} has {', '.join(methods)}")


def _brought(program: Program, sender: Partner, ask: RouteAsked) -> Tree:
    """Of what a CPO brings: it goes to the owner of its token, whom OCPI-to may name. Raises: InvalidRequest."""
    if not ask.owner:
        raise InvalidRequest(f"/owner: {ask.module} go to the owner of the cdr_token; say which party that is")
    hub, party = program.hub, Party.parse(ask.owner)
    to = str(Party.parse(ask.to)) if ask.to else ""
    try:
        if to not in ("", *hub.settings.own_parties):
            known_receiver(hub.registry, to)
        check_named(hub, to, {"country_code": party.country_code, "party_id": party.party_id})
    except BusbarError as fault:
        code = row_of(fault).code
        return {"goes": "nowhere", "status_code": code, "why": fault.message, "rule": "OCPI-to", "gets": []}
    goes = addressee(hub, sender.party, ask.module, party)
    if goes.waits is not None:
        why = f"it is taken, and waits as {goes.waits}: {goes.rule}"
        return {"goes": "nowhere", "why": why, "rule": goes.rule, "gets": []}
    if goes.party in hub.settings.own_parties:
        return {"goes": "ours", "rule": goes.rule, "gets": []}
    holders = [each for each in hub.registry.connected() if goes.party in each.parties_as(EMSP_LIKE)]
    gets = [
        _got(each, goes.party, verdict.allowed, verdict.rule, ask.module, _PUSHED)
        for each in holders
        for verdict in [hub.agreements.may(each, sender.party, ask.module)]
    ]
    return {"goes": "party", "rule": goes.rule, "gets": gets}


def _everybody(program: Program, sender: Partner, owner: str, module: str) -> Iterator[Tree]:
    hub = program.hub
    for partner in hub.registry.connected():
        if not hub.agreements.is_own(partner, owner, module):
            verdict = hub.agreements.may(partner, owner, module)
            rule = _rule(hub, sender, partner.party, module, verdict)
            got = _got(partner, partner.party, verdict.allowed, rule, module)
            why = _kept_back(program, partner, owner, module) if got["gets"] else ""
            yield {**got, "gets": False, "rule": f"{rule}; but {why}"} if why else got


def _kept_back(program: Program, partner: Partner, owner: str, module: str) -> str:
    """Why the EVSEs of a CPO do not go to a partner that is a hub of OICP, though they may; "": they go."""
    connection = program.oicp.connections.of(partner.name) if module == "locations" else None
    if connection is None or connection.kind != "hub":
        return ""
    return program.oicp.evse_push.onward.kept_back(connection).get(owner, "")


def _got(partner: Partner, party: str, allowed: bool, rule: str, module: str, sides: tuple[str, ...] = _EITHER) -> Tree:
    offers = any(partner.endpoint(module, side) is not None for side in sides)
    why = rule if not allowed or offers else f"{rule}; but it offers no {module}"
    return {
        "partner": partner.name,
        "party": party,
        "version": partner.version,
        "gets": allowed and offers,
        "rule": why,
    }


def _agreement(rule: Rule) -> Agreement:
    if rule.viewer != "*" and "/" in rule.viewer:
        raise InvalidRequest("/viewer: a partner by its name, or a party")
    return Agreement(rule.viewer, rule.owner, rule.module, rule.allow)


def _shown(rule: Agreement) -> Tree:
    return {"viewer": rule.viewer, "owner": rule.owner, "module": rule.module, "allow": rule.allow}
