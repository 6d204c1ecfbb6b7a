"""busbar oicp"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.remote import quoted

app: Final = typer.Typer(
    help="Partners that speak OICP: connect, look after, and the certificates between us.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="How the partner is called here.")]
_COLUMNS: Final = ("name", "kind", "state", "operator_ids", "provider_ids", "base_url", "client_certificate")
_MORE: Final = (
    "leaves_cards, pushes_prices, pulls_prices, prices, data_every_s, status_every_s, push_size, limits, learns, "
    "operator_style, provider_style, countries, terms; README, partners that speak OICP."
)
_CERTIFICATES: Final = ("name", "in_use", "expires", "days", "shown_to")


@command(app, "connect")
def connect(
    face: Face,
    name: Name,
    kind: Annotated[str, typer.Option("--kind", help="What the partner is: cpo, emp or hub.")],
    operators: Annotated[
        list[str], typer.Option("--operator", help="Its OperatorID (DE*ABC); of a hub, ours there. May be repeated.")
    ] = [],  # noqa: B006
    providers: Annotated[
        list[str], typer.Option("--provider", help="Its ProviderID (DE-DCB); of a hub, ours there. May be repeated.")
    ] = [],  # noqa: B006
    party: Annotated[str, typer.Option("--party", help="Of a hub: the party by which agreements name it.")] = "",
    base_url: Annotated[str, typer.Option("--base-url", help="Where it serves OICP; without it, it only calls.")] = "",
    fingerprints: Annotated[
        list[str], typer.Option("--fingerprint", help="SHA-256 of a client certificate that it shows.")
    ] = [],  # noqa: B006
    certificates: Annotated[
        list[str], typer.Option("--certificate", help="PEM file of one: it is trusted whoever issued it.")
    ] = [],  # noqa: B006
    client_certificate: Annotated[
        str, typer.Option("--client-certificate", help="Name of the certificate that we show: see busbar oicp csr.")
    ] = "",
    server_ca: Annotated[
        str, typer.Option("--server-ca", help="PEM file: who may have issued its server's certificate.")
    ] = "",
    more: Annotated[str, typer.Option("--set", help="JSON file with what else a connection has: " + _MORE)] = "",
) -> None:
    """Connect a partner that speaks OICP, or say anew how it is connected."""
    body: dict[str, Any] = {
        **(_object(more) if more else {}),
        "kind": kind,
        "operator_ids": operators,
        "provider_ids": providers,
        "party": party,
        "base_url": base_url,
        "fingerprints": fingerprints,
        "certificates": [_text(file) for file in certificates],
        "client_certificate": client_certificate,
        "server_ca": _text(server_ca) if server_ca else "",
    }
    face.show(face.hub.put(f"/oicp/connections/{quoted(name)}", body)[1])


@command(app, "list")
def list_connections(face: Face) -> None:
    """All partners that speak OICP."""
    face.show(face.hub.get("/oicp/connections"), _COLUMNS)


@command(app, "show")
def show(face: Face, name: Name) -> None:
    """Ids, certificates and when they end, how it is called."""
    face.show(face.hub.get(f"/oicp/connections/{quoted(name)}"))


@command(app, "disconnect")
def disconnect(face: Face, name: Name) -> None:
    """End the connection: its calls are refused, nothing is sent to it any more."""
    face.show(face.hub.delete(f"/oicp/connections/{quoted(name)}"))


@command(app, "csr")
def csr(
    face: Face,
    name: Annotated[str, typer.Argument(help="How the certificate is called here.")],
    common_name: Annotated[str, typer.Option("--common-name", help="Whom it is to name.")],
    organization: Annotated[str, typer.Option("--organization")] = "",
    country: Annotated[str, typer.Option("--country", help="Two letters.")] = "",
    key: Annotated[str, typer.Option("--key", help="ec or rsa.")] = "ec",
) -> None:
    """Make a key, which never leaves the hub, and print the signing request for its certificate."""
    body = {
        "name": name, "common_name": common_name, "organization": organization, "country": country, "key": key,
    }  # fmt: skip
    made = face.hub.post("/oicp/certificates", body)
    if face.as_json:
        face.show(made)
        return
    face.print(made["csr"])
    face.say(f"Have it signed, then: busbar oicp certificate {name} FILE")


@command(app, "certificate")
def certificate(
    face: Face,
    name: Annotated[str, typer.Argument(help="Which one; without a name, all of them.")] = "",
    file: Annotated[str, typer.Argument(help="PEM file with what was issued: it is installed.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Forget it, and its key.")] = False,
) -> None:
    """The certificates that we show to OICP partners: list them, show one, install one, forget one."""
    path = f"/oicp/certificates/{quoted(name)}"
    if (remove and (file or not name)) or (file and not name):
        raise CommandFailed("say: a name, a name and a file, or a name and --remove", Code.USAGE)
    if not name:
        face.show(face.hub.get("/oicp/certificates"), _CERTIFICATES)
    elif remove:
        face.show(face.hub.delete(path))
    elif file:
        face.show(face.hub.put(path, {"certificate": _text(file)})[1])
    else:
        face.show(face.hub.get(path))


def _text(file: str) -> str:
    """Raises: CommandFailed."""
    try:
        return Path(file).read_text(encoding="ascii")
    except OSError:
        raise CommandFailed(f"{file} cannot be read", Code.NOT_FOUND) from None
    except UnicodeDecodeError:
        raise CommandFailed(f"{file} is no PEM", Code.USAGE) from None


def _object(file: str) -> dict[str, Any]:
    """Raises: CommandFailed."""
    try:
        tree = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError:
        raise CommandFailed(f"{file} cannot be read", Code.NOT_FOUND) from None
    except ValueError:
        tree = None
    if not isinstance(tree, dict):
        raise CommandFailed(f"{file} holds no JSON object", Code.USAGE)
    return tree
