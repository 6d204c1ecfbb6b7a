"""busbar location, tariff and token: our own objects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.files import JsonFile, read_object, read_objects
from hub.cli.remote import quoted
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree

if TYPE_CHECKING:
    from hub.core.dialect import Wire

location: Final = typer.Typer(help="Our locations.", no_args_is_help=True)
tariff: Final = typer.Typer(help="Our tariffs.", no_args_is_help=True)
token: Final = typer.Typer(help="Tokens: our own drivers' and our partners'.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="LOC1, or DE*BSB/LOC1.", metavar="ID")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="Items at most.")]
Offset = Annotated[int, typer.Option("--offset", min=0, help="Items to pass over.")]
Ocpi = Annotated[str, typer.Option("--ocpi", help="The OCPI version in which the file is written.")]
AsOurs = Annotated[bool, typer.Option("--as-ours", help="Give the objects our own country code and party id.")]

_WARNED_OF: Final = 20

_ID: Final = re.compile(r"([A-Za-z]{2})[*/-]?([A-Za-z0-9]{3})/(.+)")


def path_of(face: Face, kind: str, name: str) -> str:
    """The path of an object; without a party it is ours."""
    match = _ID.fullmatch(name)
    if match is not None:
        return f"/{kind}/{match[1].upper()}/{match[2].upper()}/{quoted(match[3])}"
    return f"/{kind}/{_our_party(face).replace('*', '/')}/{quoted(name)}"


def _our_party(face: Face) -> str:
    return str(face.hub.get("")["party"])


def _wires(kind: str) -> Mapping[str, Wire[Any]]:
    """Imported only for files of older versions: it takes a second."""
    from modules.locations.wire import LOCATION
    from modules.tariffs.wire import TARIFF
    from modules.tokens.wire import TOKEN

    wires: Mapping[str, Mapping[str, Wire[Any]]] = {"locations": LOCATION, "tariffs": TARIFF, "tokens": TOKEN}
    return wires[kind]


def _prepared(tree: Tree, kind: str, version: str, party: str, *, as_ours: bool) -> Tree:
    """An object of a file in our form. Raises: CommandFailed."""
    country_code, party_id = party.split("*")
    owner = {"country_code": country_code, "party_id": party_id}
    if version != "2.3.0":
        wires = _wires(kind)
        if version not in wires:
            raise CommandFailed(f"--ocpi: {version} is none of {', '.join(wires)}", Code.USAGE)
        try:
            tree = wires[version].read(tree, given=owner).tree()
        except InvalidRequest as fault:
            raise CommandFailed(fault.message) from None
    return {**tree, **owner} if as_ours else {**owner, **tree}


class _Put(NamedTuple):
    """Whether it is new, and what the hub warns of."""

    created: bool
    warnings: list[str]


def _put(face: Face, kind: str, tree: Tree, *, key: str = "id") -> _Put:
    """Raises: CommandFailed."""
    identity = tree.get(key)
    if not isinstance(identity, str) or not identity:
        raise CommandFailed(f"an object has no {key}")
    owner = f"{tree['country_code']}/{tree['party_id']}"
    created, kept = face.hub.put(f"/{kind}/{owner}/{quoted(identity)}", tree)
    return _Put(created, kept.get("warnings") or [])


def _add(face: Face, kind: str, tree: Tree, *, key: str = "id") -> None:
    put = _put(face, kind, tree, key=key)
    _show(face, _kept(tree, key, put.created), put.warnings)


def _show(face: Face, tree: Tree, warnings: list[str]) -> None:
    """What was done, and what the hub warns of: a part of the JSON, or said to people, the first of them."""
    face.show({**tree, **({"warnings": warnings} if warnings and face.as_json else {})})
    for each in () if face.as_json else warnings[:_WARNED_OF]:
        face.say(f"warning: {each}")
    if len(warnings) > _WARNED_OF and not face.as_json:
        face.say(f"and {len(warnings) - _WARNED_OF} more (--json has all)")


def _kept(tree: Tree, key: str, created: bool) -> Tree:
    return {key: tree[key], "owner": f"{tree['country_code']}*{tree['party_id']}", "created": created}


def _import(face: Face, kind: str, path: str, version: str, *, as_ours: bool, key: str = "id") -> None:
    """Each object alone: what is refused is listed, the rest is kept."""
    party = _our_party(face)
    created = updated = 0
    failed: list[Tree] = []
    warnings: list[str] = []
    for tree in face.each(read_objects(path), f"importing {kind}"):
        try:
            new, warned = _put(face, kind, _prepared(tree, kind, version, party, as_ours=as_ours), key=key)
        except CommandFailed as failure:
            if failure.code in (Code.UNREACHABLE, Code.NOT_ALLOWED, Code.USAGE):
                raise
            failed.append({key: tree.get(key), "error": failure.message})
        else:
            created, updated = created + new, updated + (not new)
            warnings += warned
    _show(face, {"created": created, "updated": updated, "failed": failed}, warnings)
    if failed:
        raise typer.Exit(Code.FAILED)


@command(location, "add")
def add_location(face: Face, file: JsonFile, ocpi: Ocpi = "2.3.0", as_ours: AsOurs = False) -> None:
    """Keep one location, whole: EVSEs that are left out are REMOVED, and come back when they are in it again."""
    _add(face, "locations", _prepared(read_object(file), "locations", ocpi, _our_party(face), as_ours=as_ours))


@command(location, "import")
def import_locations(face: Face, file: JsonFile, ocpi: Ocpi = "2.3.0", as_ours: AsOurs = False) -> None:
    """Keep all locations of a file."""
    _import(face, "locations", file, ocpi, as_ours=as_ours)


@command(location, "list")
def list_locations(face: Face, limit: Limit = 50, offset: Offset = 0) -> None:
    """Our locations, the newest first."""
    found = face.hub.get("/locations", limit=limit, offset=offset)
    face.show(found, ("id", "name", "city", "country", "publish", "last_updated"))


@command(location, "show")
def show_location(face: Face, name: Id) -> None:
    """One location."""
    face.show(face.hub.get(path_of(face, "locations", name)))


@command(location, "remove-evse")
def remove_evse(face: Face, name: Id, evse_uid: Annotated[str, typer.Argument(metavar="EVSE_UID")]) -> None:
    """Take an EVSE out of service for good."""
    face.show(face.hub.delete(f"{path_of(face, 'locations', name)}/evses/{quoted(evse_uid)}"))


@command(tariff, "add")
def add_tariff(face: Face, file: JsonFile, ocpi: Ocpi = "2.3.0", as_ours: AsOurs = False) -> None:
    """Keep one tariff, and say what is odd in it."""
    tree = _prepared(read_object(file), "tariffs", ocpi, _our_party(face), as_ours=as_ours)
    created = _put(face, "tariffs", tree).created
    found = [each for each in _findings(face, tree) if each["severity"] != "hint"]
    face.show({**_kept(tree, "id", created), **({"findings": found} if found and face.as_json else {})})
    for each in () if face.as_json else found:
        face.say(f"{each['severity']}: {each['pointer'] or '/'} {each['message']}")


def _findings(face: Face, tree: Tree) -> list[Tree]:
    """What is odd in a tariff that is stored by now."""
    found: list[Tree] = face.hub.post("/tariffs/lint", {"tariff": tree})["items"]
    return found


@command(tariff, "import")
def import_tariffs(face: Face, file: JsonFile, ocpi: Ocpi = "2.3.0", as_ours: AsOurs = False) -> None:
    """Keep all tariffs of a file."""
    _import(face, "tariffs", file, ocpi, as_ours=as_ours)


@command(tariff, "list")
def list_tariffs(face: Face, limit: Limit = 50, offset: Offset = 0) -> None:
    """Our tariffs, the newest first."""
    face.show(face.hub.get("/tariffs", limit=limit, offset=offset), ("id", "currency", "type", "last_updated"))


@command(tariff, "show")
def show_tariff(face: Face, name: Id) -> None:
    """One tariff."""
    face.show(face.hub.get(path_of(face, "tariffs", name)))


@command(tariff, "delete")
def delete_tariff(face: Face, name: Id) -> None:
    """Withdraw a tariff, and say which connectors name it still."""
    deleted = face.hub.delete(path_of(face, "tariffs", name))
    _show(face, deleted, deleted.pop("warnings", []))


@command(token, "add")
def add_token(
    face: Face,
    uid: Annotated[str, typer.Argument(help="What the card reader reads, or the app sends.", metavar="UID")],
    contract: Annotated[str, typer.Option("--contract", help="The contract id of the driver.")],
    kind: Annotated[str, typer.Option("--type", help="RFID, APP_USER, AD_HOC_USER, EMAID or OTHER.")] = "RFID",
    whitelist: Annotated[str, typer.Option("--whitelist", help="ALWAYS, ALLOWED, ALLOWED_OFFLINE, NEVER.")] = "ALLOWED",
    blocked: Annotated[bool, typer.Option("--blocked", help="Known, and not valid.")] = False,
) -> None:
    """Keep a token of a driver of ours."""
    country_code, party_id = _our_party(face).split("*")
    tree = {
        "country_code": country_code,
        "party_id": party_id,
        "uid": uid,
        "type": kind,
        "contract_id": contract,
        "valid": not blocked,
        "whitelist": whitelist,
    }
    _add(face, "tokens", tree, key="uid")


@command(token, "import")
def import_tokens(face: Face, file: JsonFile, ocpi: Ocpi = "2.3.0", as_ours: AsOurs = False) -> None:
    """Keep all tokens of a file."""
    _import(face, "tokens", file, ocpi, as_ours=as_ours, key="uid")


@command(token, "list")
def list_tokens(
    face: Face,
    partner: Annotated[str | None, typer.Option("--partner", help="Only this partner's.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> None:
    """The tokens that we know, the newest first."""
    found = face.hub.get("/tokens", partner=partner, limit=limit, offset=offset)
    face.show(found, ("country_code", "party_id", "uid", "type", "contract_id", "valid", "whitelist"))


@command(token, "show")
def show_token(
    face: Face, uid: Id, kind: Annotated[str, typer.Option("--type", help="TokenType of the token.")] = "RFID"
) -> None:
    """One token."""
    face.show(face.hub.get(path_of(face, "tokens", uid), type=kind))
