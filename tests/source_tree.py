"""The product's source as data for `test_architecture.py`: files, imports, texts. None of it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent
PRODUCT: Final = ("hub", "modules", "partners")
EVERYTHING: Final = (*PRODUCT, "tests", "bench")


class Import(NamedTuple):
    """`import a.b` has the target `a.b`, and so has `from a import b`, be b a file or a name in it."""

    line: int
    target: str

    def is_within(self, *packages: str) -> bool:
        """True if the target is one of `packages` or lies below it."""
        return any(self.target == name or self.target.startswith(f"{name}.") for name in packages)


class Text(NamedTuple):
    """A string constant; the values inside an f-string stand as `{}`."""

    line: int
    value: str


class Place(NamedTuple):
    """Where a file stands in a module: `modules/<module>/<part>...`; both "" for the table of contents."""

    module: str
    part: str


@dataclass(frozen=True)
class Source:
    """One Python file. `path` is relative to the root, with slashes."""

    path: str
    text: str

    @property
    def parts(self) -> tuple[str, ...]:
        """Folders and the file's name without `.py`."""
        return tuple(self.path.removesuffix(".py").split("/"))

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text, self.path)))

    @cached_property
    def imports(self) -> list[Import]:
        """Every import, relative ones resolved, those under TYPE_CHECKING included."""
        return [found for node in self.nodes for found in self._imports_of(node)]

    def _imports_of(self, node: ast.AST) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = self.parts[: -node.level] if node.level else ()
            base = ".".join((*above, *filter(None, [node.module])))
            yield from (Import(node.lineno, f"{base}.{alias.name}") for alias in node.names)

    @cached_property
    def texts(self) -> list[Text]:
        """String constants that are not docstrings."""
        inside = {id(part) for node in self.nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        inside |= {
            id(node.value) for node in self.nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        return [
            Text(node.lineno, value)
            for node in self.nodes
            if isinstance(node, ast.Constant | ast.JoinedStr)
            and id(node) not in inside
            and (value := _text(node)) is not None
        ]

    @property
    def place(self) -> Place | None:
        """None for what is no module."""
        if self.parts[0] != "modules":
            return None
        return Place(*self.parts[1:3]) if len(self.parts) > 2 else Place("", "")

    @property
    def is_store(self) -> bool:
        """True for the files that may hold SQL."""
        own = self.place
        stores = ("hub/core/store/", "hub/core/migrations/")
        return self.is_in(*stores) or (own is not None and own.part == "store")

    def is_in(self, *places: str) -> bool:
        """True if the file is one of `places`, or below one that ends in a slash."""
        return any(self.path.startswith(place) if place.endswith("/") else self.path == place for place in places)


def _text(node: ast.Constant | ast.JoinedStr) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node.value, str) else None


@cache
def product() -> tuple[Source, ...]:
    """Every Python file of the product, tests and measurements not included."""
    return sources(*PRODUCT)


def sources(*tops: str) -> tuple[Source, ...]:
    """Every Python file below some of the folders at the top."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for top in tops
        for path in sorted((ROOT / top).rglob("*.py"))
    )


@cache
def paths() -> tuple[str, ...]:
    """Every file below the five folders of code, relative to the root, caches not included."""
    return tuple(
        path.relative_to(ROOT).as_posix()
        for top in EVERYTHING
        for path in sorted((ROOT / top).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    )
