"""busbar station commission: a new charger, led from its address to its first charge and into service.

What has been seen is worked out by the hub each time anew. So it can be broken off (Ctrl-C) and gone on with, here or
elsewhere, by the same command.
"""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import CommandFailed
from hub.cli.files import read_object
from hub.cli.remote import quoted
from hub.cli.station import Identity, Ocpp, registration
from hub.core.jsontypes import Tree

_LOOK_S: Final = 0.5
_PASSED_S: Final = 10.0
"""How long a step is waited for that a later one may bring."""
_ASKED_FOR: Final = frozenset({"connectors", "status"})
_BROUGHT_LATER: Final = frozenset({"clock"})


class Guide:
    """One run. `tree` is how far it is, as the hub said last."""

    def __init__(
        self, face: Face, identity: str, *, card: str, connector: int | None, asks: bool, wait_s: float
    ) -> None:
        self.face = face
        self._path = f"/stations/{quoted(identity)}/commissioning"
        self._card, self._connector, self._asks = card, connector, asks
        self._until = time.monotonic() + wait_s
        self._shown: set[tuple[str, str, str]] = set()
        self._done: set[str] = set()
        self._applied: set[str] = set()
        self._password: Tree = {}
        self._ending = "It is stopped from here once its meter has counted." if card else ""
        """What ends the test charge, where that is not for others."""
        self.tree: Tree = {}

    def begin(self, body: Tree) -> None:
        """Register what is given, and be on the way. Shows address and password."""
        _, self.tree = self.face.hub.put(self._path, body)
        self._password = {name: self.tree[name] for name in ("password",) if name in self.tree}
        if self.face.as_json:
            return
        self.face.print(f"address   {self.tree['url']}")
        if "password" in self.tree:
            self.face.print(f"password  {self.tree['password']}   (shown this once)")

    def look(self) -> Tree:
        """How far it is now; what is new is shown."""
        self.tree = self.face.hub.get(self._path)
        return self._show()

    def do(self, what: str, **more: Any) -> Tree:
        """Let the hub do something for a step."""
        self.tree = self.face.hub.post(self._path, {"do": what, **more})
        return self._show()

    def lead(self, *, yes: bool) -> None:
        """Step by step to the last; `yes`: it may go into service. Raises: CommandFailed."""
        while (step := self._next()) is not None:
            if step["step"] == "template" and "template" not in self._applied:
                self._configure()
            elif step["state"] == "failed":
                self._mend(step)
            elif step["step"] == "charge":
                self._charge()
            elif step["step"] == "publish":
                self._publish(yes)
            else:
                self._wait_for(step)

    def finish(self) -> None:
        """What came of it."""
        if self.face.as_json:
            self.face.show({**self.tree, **self._password})

    def _next(self) -> Tree | None:
        self.look()
        left = [each for each in self.tree["steps"] if each["state"] in ("open", "failed")]
        return next((each for each in left if each["step"] not in self._done), None)

    def _wait_for(self, step: Tree) -> None:
        """Until it is over, or is another. Raises: CommandFailed."""
        name, begun = step["step"], time.monotonic()
        if name in _ASKED_FOR | _BROUGHT_LATER and name not in self._done:
            self.do("ask")
        while self._state_of(name) == "open":
            if name in _BROUGHT_LATER and time.monotonic() - begun > _PASSED_S:
                self._done.add(name)
                return
            self._rest(name)

    def _configure(self) -> None:
        """Raises: CommandFailed, where somebody says no."""
        if self._asks and not typer.confirm("Set what differs from its template?", default=True, err=True):
            raise CommandFailed("its configuration is not as its template wants it", advice=self._advice)
        self._applied.add("template")
        self.do("template")

    def _charge(self) -> None:
        """The test charge, by a card of ours or by a tap. Raises: CommandFailed."""
        if self.tree["charge"] is None:
            self._start()
        while self._state_of("charge") == "open":
            charge = self.tree["charge"]
            if self._card and charge is not None and charge["open"] and charge["kwh"]:
                self._stop()
            self._rest("charge")

    def _start(self) -> None:
        if not self._card and self._asks:
            self._card = typer.prompt("Card of ours to start it with (empty: somebody taps)", default="", err=True)
        if not self._card:
            return
        self._ending = "It is stopped from here once its meter has counted."
        outcome = self.do("start", token=self._card, connector=self._connector)["outcome"]
        if outcome != "ACCEPTED":
            raise CommandFailed(
                f"the charger does not start: {outcome}", advice="Is the car plugged in? See its status."
            )

    def _stop(self) -> None:
        if "stop" in self._done:
            return
        self._done.add("stop")
        if self._asks and not typer.confirm("Stop the charge?", default=True, err=True):
            self._ending = ""
            return
        self._ending = "It is told to stop."
        outcome = self.do("stop")["outcome"]
        by_hand = "end it at the charger, or with its card."
        if outcome != "ACCEPTED":
            self._ending = f"It does not stop: {outcome}; {by_hand}"

    def _publish(self, yes: bool) -> None:
        """Raises: CommandFailed, where nobody says yes."""
        left = [each["step"] for each in self.tree["steps"] if each["step"] in self._done]
        if left:
            raise CommandFailed(
                f"not known yet: {', '.join(left)}", advice="--force puts it into service all the same."
            )
        if yes:
            self.do("publish")
            return
        if not self._asks:
            raise CommandFailed("all is well; nobody said that it may go into service", advice="Say so with --yes.")
        if not typer.confirm("Put it into service, so that partners see it?", default=True, err=True):
            raise CommandFailed("not in service", advice=self._advice)
        self.do("publish")

    def _mend(self, step: Tree) -> None:
        """Raises: CommandFailed, where nobody is there to mend it."""
        if not (self._asks and typer.confirm("Look again?", default=True, err=True)):
            raise CommandFailed(f"{step['step']}: {step['found']}", advice=step["advice"])
        self._shown.clear()

    def _rest(self, name: str) -> None:
        """Raises: CommandFailed, when it has taken too long."""
        if time.monotonic() > self._until:
            step = self._step(name)
            raise CommandFailed(f"{name}: {step['found']}", advice=f"{self._advised(step)} {self._advice}")
        time.sleep(_LOOK_S)
        self.look()

    def _step(self, name: str) -> Tree:
        return next(each for each in self.tree["steps"] if each["step"] == name)

    def _state_of(self, name: str) -> str:
        return str(self._step(name)["state"])

    def _show(self) -> Tree:
        """Each step once as it is; of those that are open, the first."""
        if self.face.as_json:
            return self.tree
        for each in self.tree["steps"]:
            advised = self._advised(each)
            seen = (each["step"], each["state"], f"{each['found']} {advised}")
            if seen not in self._shown:
                self._shown.add(seen)
                self.face.print(f"{each['state']:8}{each['step']:12}{each['found']}")
                if advised:
                    self.face.print(f"{'':20}{advised}")
            if each["state"] in ("open", "failed") and each["step"] not in self._done:
                break
        return self.tree

    def _advised(self, step: Tree) -> str:
        """What to do about a step; of a charge that goes on, what ends it."""
        charge = self.tree["charge"]
        goes_on = step["step"] == "charge" and charge is not None and charge["open"]
        return self._ending if goes_on and self._ending else str(step["advice"])

    @property
    def _advice(self) -> str:
        return f"Go on with: busbar station commission {self.tree['identity']}"


def commission(
    face: Face,
    identity: Identity,
    location: Annotated[str, typer.Option("--location", help="The location at which it stands.")] = "",
    evses: Annotated[
        list[str], typer.Option("--evse", help="1=E1/1: OCPP connector (or EVSE)=EVSE uid/connector id.")
    ] = [],  # noqa: B006
    place: Annotated[
        str, typer.Option("--place", help='{"evses": [...]}: OCPI EVSEs that partners see only when all is done.')
    ] = "",
    profile: Annotated[int | None, typer.Option("--security-profile", min=0, max=3, help="OCPP's.")] = None,
    ocpp: Annotated[Ocpp | None, typer.Option("--ocpp", help="What it speaks; at first 1.6.")] = None,
    password: Annotated[str | None, typer.Option("--password", help="Without it one is made, and shown once.")] = None,
    card: Annotated[str, typer.Option("--card", help="Uid of a card of ours that starts the test charge.")] = "",
    connector: Annotated[int | None, typer.Option("--connector", min=1, help="OCPP connector to charge at.")] = None,
    skip_charge: Annotated[bool, typer.Option("--skip-charge", help="Do without a test charge.")] = False,
    skip_template: Annotated[bool, typer.Option("--skip-template", help="Leave its configuration as it is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; put it into service when all is well.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Put it into service now, whatever is not well.")] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Give it up; EVSEs that waited are forgotten.")] = False,
    look: Annotated[bool, typer.Option("--look", help="Only show how far it is.")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0, max=86_400, help="Seconds to wait, in all.")] = 900,
) -> None:
    """Put a new charger into service, step by step; broken off, the same command goes on."""
    path = f"/stations/{quoted(identity)}/commissioning"
    if abandon:
        face.show(face.hub.delete(path))
        return
    if look:
        face.show(face.hub.get(path))
        return
    asks = sys.stdin.isatty() and not yes and not face.as_json
    guide = Guide(face, identity, card=card, connector=connector, asks=asks, wait_s=wait)
    station = registration(face, identity, location, evses, profile=profile, ocpp=ocpp, password=password)
    objects = read_object(place).get("evses", []) if place else []
    guide.begin({"station": station, "evses": objects})
    for step, is_skipped in (("template", skip_template), ("charge", skip_charge)):
        if is_skipped:
            guide.do("skip", step=step)
    try:
        _led(guide, yes=yes, force=force)
    finally:
        guide.finish()


def _led(guide: Guide, *, yes: bool, force: bool) -> None:
    if force:
        guide.do("publish", force=True)
        return
    guide.lead(yes=yes)


def add_to(app: typer.Typer) -> None:
    """The command, below `busbar station`."""
    command(app, "commission")(commission)
