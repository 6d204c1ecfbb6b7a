"""The switches, and their table in the README."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

from modules.tariffs.pricing import BY_THE_TEXT, Policy
from modules.tariffs.pricing.policy import SWITCHES

README = Path(__file__).parents[4] / "README.md"


def test_the_readme_has_a_line_for_each_switch_with_its_default() -> None:
    text = README.read_text()
    part = text[text.index("| switch | default |") : text.index("## Speed")]
    table = {name: (default, words) for name, default, words in re.findall(r"\| `(\w+)` \| `(.*?)` \| (.*) \|", part)}
    defaults = {field.name: getattr(BY_THE_TEXT, field.name) for field in fields(Policy)}
    shown = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in defaults.items()}
    assert table == {name: (shown[name], SWITCHES[name]) for name in defaults}
    assert list(SWITCHES) == list(defaults)


def test_each_reading_is_named_where_its_switch_is_explained() -> None:
    for name, hint in get_type_hints(Policy).items():
        assert all(f"`{reading}`" in SWITCHES[name] for reading in get_args(hint)), name
