"""busbar price: one session, CDR or case; or many cases, a line each. Needs no hub."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.files import read, read_object, read_objects
from hub.cli.findings import show_findings
from hub.cli.interrupts import Interrupts
from hub.cli.progress import LongRun
from hub.cli.receipts import show_page
from hub.core.errors import BusbarError
from hub.core.inbound import encode
from hub.core.jsontypes import Tree

if TYPE_CHECKING:
    from hub.control.batch import Pricer

_STOPPED: Final = 130
"""What a shell says of a program that Ctrl-C has ended."""


def add_to(app: typer.Typer) -> None:
    """Declare the command of this file."""
    command(app, "price", remote=False)(price)


def price(
    face: Face,
    case: Annotated[str | None, typer.Argument(help="A file with one case; - is standard input.")] = None,
    batch: Annotated[str | None, typer.Option("--batch", help="A file with a case on each line; - is stdin.")] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Where the results go; else to stdout.")] = None,
    tolerance: Annotated[str, typer.Option("--tolerance", help="By how much a figure may be off.")] = "0.01",
    receipts: Annotated[bool, typer.Option("--receipt/--no-receipt", help="In the results of cases.")] = True,
    tariff: Annotated[list[str], typer.Option("--tariff", help="A file with a tariff, or several.")] = [],  # noqa: B006
    cdr: Annotated[str | None, typer.Option("--cdr", help="A file with a CDR.")] = None,
    session: Annotated[str | None, typer.Option("--session", help="A file with a session.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="Of the location, as in Europe/Berlin.")] = None,
    version: Annotated[str, typer.Option("--ocpi", help="The OCPI version in which the files are written.")] = "2.3.0",
) -> None:
    """What a session costs, line by line; exit code 1 when a CDR claims something else, or a case has no price."""
    if sum(given is not None for given in (case, batch, cdr, session)) != 1:
        raise CommandFailed(
            "one of CASE, --batch, --cdr and --session is needed", Code.USAGE, advice="See `busbar price --help`."
        )
    if batch is not None:
        _batch(face, batch, output, _pricer(tolerance, receipts=receipts))
    elif case is not None:
        _case(face, case, _pricer(tolerance, receipts=receipts))
    else:
        asked = {
            "tariffs": [tree for path in tariff for tree in read_objects(path)],
            "cdr": read_object(cdr) if cdr is not None else None,
            "session": read_object(session) if session is not None else None,
            "time_zone": time_zone,
            "version": version,
            "tolerance": _tolerance(tolerance),
        }
        _quote(face, asked)


def _pricer(tolerance: str, *, receipts: bool) -> Pricer:
    from hub.control.batch import Pricer

    return Pricer(tolerance=_tolerance(tolerance), receipts=receipts)


def _tolerance(text: str) -> Decimal:
    """Raises: CommandFailed."""
    from modules.cdrs.check.stated import number_or_none

    allowed = number_or_none(text)
    if allowed is None or allowed < 0:
        raise CommandFailed("--tolerance: must be a number from 0 up", Code.USAGE)
    return allowed


def _quote(face: Face, asked: Tree) -> None:
    from hub.control.outcome import code_of
    from hub.control.parts import CaseFault
    from hub.control.price import PriceAsked, quote
    from modules.tariffs.pricing import PricingFault

    try:
        quoted = quote(PriceAsked.of(asked))
    except (CaseFault, PricingFault) as fault:
        raise _not_priced({"code": code_of(fault), "message": fault.message}) from None
    except BusbarError as fault:
        raise CommandFailed(fault.message) from None
    _show(face, quoted)


def _not_priced(error: Tree) -> CommandFailed:
    return CommandFailed(f"{error['code']}: {error['message']}", error=error)


def _case(face: Face, path: str, pricer: Pricer) -> None:
    result = pricer.of_tree(read(path))
    if result["error"]:
        raise _not_priced(result["error"])
    _show(face, result)


def _show(face: Face, priced: Tree) -> None:
    """All of it, or for people the receipt and what was checked. Exit code 1 where a claim or expectation is wrong."""
    if face.as_json or "receipt" not in priced:
        face.show(priced)
    else:
        show_page(face, priced["receipt"])
        _show_check(face, priced.get("check", {}))
    if not _is_good(priced):
        raise typer.Exit(Code.FAILED)


def _show_check(face: Face, checked: Tree) -> None:
    """What the CDR claims that is not so, and what of the result was not expected."""
    if "verdict" in checked:
        show_findings(face, checked)
    if checked.get("differences"):
        face.show({"items": checked["differences"]}, ("figure", "stated", "computed", "difference"))


def _is_good(result: Tree) -> bool:
    return not result.get("error") and bool(result.get("check", {}).get("ok", True))


@dataclass
class _Count:
    """What became of the lines so far."""

    lines: int = 0
    unpriced: int = 0
    differing: int = 0

    def add(self, result: Tree) -> None:
        self.lines += 1
        self.unpriced += bool(result["error"])
        self.differing += not result["error"] and not _is_good(result)


def _batch(face: Face, path: str, output: Path | None, pricer: Pricer) -> None:
    """Never more than one line in memory. Ctrl-C ends it after a whole line."""
    count, stopped = _Count(), False
    with ExitStack() as opened:
        source = opened.enter_context(_source(path))
        target = opened.enter_context(_target(output, path))
        run = LongRun("priced", total=_size(path))
        opened.callback(run.close)
        try:
            _price_all(source, target, pricer, count, run)
        except KeyboardInterrupt:
            stopped = True
    _sum_up(face, count, run.seconds, stopped=stopped)
    if stopped:
        raise typer.Exit(_STOPPED)
    if count.unpriced or count.differing:
        raise typer.Exit(Code.FAILED)


def _price_all(source: BinaryIO, target: BinaryIO, pricer: Pricer, count: _Count, run: LongRun) -> None:
    from hub.control.batch import lines_of

    done = 0
    with Interrupts().held() as interrupts:
        for number, line in lines_of(source):
            result = pricer.of_numbered(number, line)
            with interrupts.step():
                target.write(encode(result) + b"\n")
                target.flush()
                count.add(result)
            done += len(line or b"") + 1
            run.step(done)


def _sum_up(face: Face, count: _Count, seconds: float, *, stopped: bool) -> None:
    priced = count.lines - count.unpriced
    if face.as_json:
        tree = {"priced": priced, "not_priced": count.unpriced, "differing": count.differing, "stopped": stopped}
        face.say(encode(tree).decode())
        return
    words = f"{priced} priced, {count.unpriced} not priced, {count.differing} differ, in {seconds:.1f} s"
    face.say(f"{words}; stopped" if stopped else words)


@contextmanager
def _source(path: str) -> Iterator[BinaryIO]:
    """Raises: CommandFailed."""
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below; an error of its reader is not one of opening
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror}", Code.NOT_FOUND) from None
    with file:
        yield file


@contextmanager
def _target(output: Path | None, path: str) -> Iterator[BinaryIO]:
    """Raises: CommandFailed."""
    if output is None:
        yield sys.stdout.buffer
        return
    if path != "-" and output.exists() and output.samefile(path):
        raise CommandFailed("--output: would overwrite the cases", Code.USAGE)
    try:
        file = output.open("wb")
    except OSError as error:
        raise CommandFailed(f"{output}: {error.strerror}") from None
    with file:
        yield file


def _size(path: str) -> int | None:
    """Bytes of the cases, where they are a file."""
    file = Path(path)
    return file.stat().st_size if path != "-" and file.is_file() else None
