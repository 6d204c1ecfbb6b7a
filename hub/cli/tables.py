"""What a command shows to people: a table of many, or the fields of one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.plain import plain
from hub.core.inbound import encode
from hub.core.jsontypes import Json, Tree


def table(items: Sequence[Tree], columns: Sequence[str], *, longest: int = 60) -> None:
    """One row each, cells of at most `longest` characters; a column is a field, or a path into one (`cdr.id`)."""
    console = _console()
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column.rsplit(".", 1)[-1], overflow="fold")
    for item in items:
        shown.add_row(*(Text(_cell(_at(item, column), longest)) for column in columns))
    console.print(shown)


def record(tree: Json) -> None:
    """One field a line; what is nested stands indented below its name."""
    console = _console()
    for line in _lines(tree, ""):
        console.print(Text(plain(line)), soft_wrap=True)


def _console() -> Console:
    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 200)


def _at(item: Json, path: str) -> Json:
    for step in path.split("."):
        item = item.get(step) if isinstance(item, dict) else None
    return item


def _cell(value: Json, longest: int) -> str:
    if isinstance(value, list) and all(isinstance(each, dict) and "role" in each for each in value):
        return plain(", ".join(f"{each['role']} {each['country_code']}*{each['party_id']}" for each in value))
    if isinstance(value, list) and value and all(isinstance(each, dict) and "attempts" in each for each in value):
        return plain(", ".join(_delivery(each) for each in value))
    text = _plain(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _delivery(tree: Tree) -> str:
    why = f" ({tree['why']})" if tree["why"] else ""
    return f"{tree['partner']}: {tree['state']}{why}"


def _plain(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case str():
            return plain(value)
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
    return plain(encode(value).decode())


def _lines(value: Json, indent: str) -> list[str]:
    if isinstance(value, dict):
        lines: list[str] = []
        for name, inner in value.items():
            if isinstance(inner, dict | list) and inner:
                lines += [f"{indent}{name}:", *_lines(inner, f"{indent}  ")]
            else:
                lines.append(f"{indent}{name}: {_plain(inner) if inner not in ({}, []) else '-'}")
        return lines
    if isinstance(value, list):
        return [line for each in value for line in _entry(each, indent)]
    return [f"{indent}{_plain(value)}"]


def _entry(value: Json, indent: str) -> list[str]:
    first, *rest = _lines(value, f"{indent}  ") or [f"{indent}  -"]
    return [f"{indent}- {first[len(indent) + 2 :]}", *rest]
