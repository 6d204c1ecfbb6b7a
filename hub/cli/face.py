"""What every command has: `--json`, and for those that talk to a hub `--url` and `--token`; and how it shows things.

    @command(app, "show")
    def show(face: Face, name: str) -> None:
        face.show(face.hub.get(f"/partners/{quoted(name)}"))

Standard output carries what was asked for, standard error everything that is said about it.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Annotated, Any, Final, TypeVar

import typer

from hub.cli.failures import Code, CommandFailed
from hub.cli.plain import plain_lines
from hub.cli.remote import Remote
from hub.cli.tables import record, table
from hub.core.inbound import encode
from hub.core.jsontypes import Json, Tree

T = TypeVar("T")

_PATIENCE_S: Final = 2.0
"""Work that takes longer shows how far it is."""

_JSON: Final = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]
_URL: Final = Annotated[str, typer.Option("--url", envvar="BUSBAR_URL", help="Where the hub is.", show_default=False)]
_TOKEN: Final = Annotated[
    str, typer.Option("--token", envvar="BUSBAR_OPERATOR_TOKEN", help="Bearer token.", show_default=False, hidden=False)
]


class Face:
    """One run of a command."""

    def __init__(self, *, as_json: bool, url: str = "", token: str = "") -> None:
        self.as_json = as_json
        self._url = url
        self._token = token
        self._open = ExitStack()

    @functools.cached_property
    def hub(self) -> Remote:
        """The hub that the command talks to."""
        return self._open.enter_context(Remote(self._url, self._token, patient=self._shows_progress))

    def close(self) -> None:
        """Hang up."""
        self._open.close()

    @property
    def _shows_progress(self) -> bool:
        return not self.as_json and sys.stderr.isatty()

    def show(self, tree: Json, columns: Sequence[str] = ()) -> None:
        """What was asked for: a table of `items` with `columns`, or one object field by field."""
        if self.as_json:
            sys.stdout.buffer.write(encode(tree) + b"\n")
            sys.stdout.flush()
        elif columns and isinstance(tree, dict) and "items" in tree:
            table(tree["items"], columns)
            self.say(f"{len(tree['items'])} of {tree['total']}" if "total" in tree else f"{len(tree['items'])}")
        else:
            record(tree)

    def print(self, words: str) -> None:
        """What was asked for, in lines."""
        sys.stdout.write(f"{plain_lines(words)}\n")

    def say(self, words: str) -> None:
        """A message for people."""
        sys.stderr.write(f"{plain_lines(words)}\n")

    def each(self, items: Sequence[T], words: str) -> Iterator[T]:
        """Go through `items`; after two seconds a bar shows how far it is, where somebody can see it."""
        if not self._shows_progress:
            yield from items
            return
        from rich.console import Console
        from rich.progress import Progress

        begin, shown = time.monotonic(), False
        bar = Progress(console=Console(stderr=True), transient=True)
        task = bar.add_task(words, total=len(items))
        try:
            for item in items:
                yield item
                bar.advance(task)
                if not shown and time.monotonic() - begin > _PATIENCE_S:
                    bar.start()
                    shown = True
        finally:
            if shown:
                bar.stop()


def command(app: typer.Typer, name: str, *, remote: bool = True) -> Callable[[Callable[..., None]], None]:
    """Declare the decorated function as a command; it gets the `Face`, then its own parameters."""

    def declare(work: Callable[..., None]) -> None:
        signature = inspect.signature(work, eval_str=True)
        own = list(signature.parameters.values())[1:]
        parameters = [*own, *_shared(remote)]

        @functools.wraps(work)
        def run(**given: Any) -> None:
            face = Face(as_json=given.pop("as_json"), url=given.pop("url", ""), token=given.pop("token", ""))
            _carefully(face, lambda: work(face, **given))

        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name)(run)

    return declare


def _shared(remote: bool) -> Iterable[inspect.Parameter]:
    shared: list[tuple[str, Any, Any]] = [("as_json", _JSON, False)]
    if remote:
        shared += [("url", _URL, ""), ("token", _TOKEN, "")]
    for name, annotation, default in shared:
        yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _carefully(face: Face, work: Callable[[], None]) -> None:
    """Run a command; what goes wrong becomes a sentence and an exit code."""
    try:
        work()
    except CommandFailed as failure:
        _tell(face, failure)
        raise typer.Exit(failure.code) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Code.FAILED) from None
    except (typer.Exit, typer.Abort, typer.TyperException, KeyboardInterrupt):
        raise
    except Exception as error:  # nobody at a shell wants a traceback; BUSBAR_TRACEBACK=1 shows it
        if os.environ.get("BUSBAR_TRACEBACK"):
            raise
        _tell(face, CommandFailed(f"{type(error).__name__}: {error}", advice="BUSBAR_TRACEBACK=1 shows where."))
        raise typer.Exit(Code.FAILED) from None
    finally:
        face.close()


def _tell(face: Face, failure: CommandFailed) -> None:
    if face.as_json:
        tree: Tree = {"error": failure.error}
        face.say(encode(tree).decode())
        return
    face.say(f"busbar: {failure.message}")
    if failure.advice:
        face.say(failure.advice)
