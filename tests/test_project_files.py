"""The files around the code say what is true: the lock, the container, the commands, the README."""

from __future__ import annotations

import json
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft7Validator
from pydantic import SecretStr

from hub.core.losses import WRITTEN_EVERY_S
from hub.core.settings import Settings

ROOT: Final = Path(__file__).parent.parent
LOCKS: Final = ("requirements.txt", "requirements-dev.txt")
CODE_FILES: Final = ("pyproject.toml", "Makefile", "Dockerfile", ".ci/run", ".pre-commit-config.yaml", *LOCKS)


def read(path: str) -> str:
    """A file of the project, by its path from the root."""
    return (ROOT / path).read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, list[str]]:
    """From `name==version` to its hashes."""
    entries = re.split(r"\n(?=\S)", read(lock).strip())
    return {entry.split(" ", 1)[0].lower(): re.findall(r"--hash=sha256:([0-9a-f]{64})", entry) for entry in entries}


def compose() -> dict[str, Any]:
    """docker-compose.yml as data."""
    loaded: dict[str, Any] = yaml.safe_load(read("docker-compose.yml"))
    return loaded


def targets() -> set[str]:
    """The targets that the Makefile tells of in `make help`."""
    return set(re.findall(r"^([a-z]+):.*## ", read("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_version_and_hashes(lock: str) -> None:
    assert len(pins(lock)) > 20
    assert [name for name, hashes in pins(lock).items() if not hashes or not re.fullmatch(r"[^=]+==[^=]+", name)] == []


def test_development_uses_the_same_pins_as_production() -> None:
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


def test_every_dependency_that_pyproject_names_is_pinned() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    wanted = {
        "requirements.txt": project["dependencies"],
        "requirements-dev.txt": project["dependencies"] + project["optional-dependencies"]["dev"],
    }
    for lock, ranges in wanted.items():
        names = {re.split(r"[\[<>=!~; ]", each, maxsplit=1)[0].lower() for each in ranges}
        assert names - {pin.split("==")[0] for pin in pins(lock)} == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    assert not re.search(r"https?://|git\+|file:|@ ", read(lock))


@pytest.mark.parametrize("path", CODE_FILES)
def test_no_file_names_a_package_index(path: str) -> None:
    assert not re.search(r"--(extra-)?index-url|find-links|trusted-host|^\s*-i\s", read(path), re.MULTILINE)


def test_the_compose_file_follows_the_compose_schema() -> None:
    schema = json.loads(read("tests/data/compose-spec.json"))
    assert [error.message for error in Draft7Validator(schema).iter_errors(compose())] == []
    assert list(Draft7Validator(schema).iter_errors({"services": {"hub": {"ports": "8000"}}}))


def test_every_service_of_the_compose_file_tells_its_health_and_keeps_its_data() -> None:
    for service in compose()["services"].values():
        assert service["healthcheck"]["test"]
        named = {volume.split(":")[0] for volume in service["volumes"]}
        assert named <= compose()["volumes"].keys()


def test_the_compose_file_holds_no_password() -> None:
    for service in compose()["services"].values():
        for name, value in service["environment"].items():
            if re.search("PASSWORD|TOKEN|SECRET", name):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?.+\}", value), name
    assert not re.search(r"://[^:/\s]+:(?!\$\{)[^@\s]+@", read("docker-compose.yml"))


def test_the_containers_set_only_settings_that_exist() -> None:
    known = {f"BUSBAR_{name}".upper() for name in Settings.model_fields}
    in_image = set(re.findall(r"\b(BUSBAR_[A-Z_]+)=", read("Dockerfile")))
    in_compose = {name for name in compose()["services"]["hub"]["environment"] if name.startswith("BUSBAR_")}
    assert (in_image | in_compose) - known == set()


def test_the_image_runs_without_root_and_tells_its_health() -> None:
    stages = re.split(r"^FROM ", read("Dockerfile"), flags=re.MULTILINE)[1:]
    assert len(stages) == 2
    assert all(stage.startswith("python:3.11-slim") for stage in stages)
    users = re.findall(r"^USER (\S+)", stages[-1], re.MULTILINE)
    assert users
    assert users[-1].split(":")[0] not in ("root", "0")
    assert re.search(r"^HEALTHCHECK ", stages[-1], re.MULTILINE)
    assert "--require-hashes" in stages[0]


def test_pre_commit_fetches_nothing() -> None:
    repos = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert {repo["repo"] for repo in repos} == {"local"}
    assert {hook["language"] for repo in repos for hook in repo["hooks"]} == {"system"}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_every_make_target_that_a_page_names_exists(page: str) -> None:
    named = set(re.findall(r"(?:^\s*|`|step \w+ \d+ )make ([a-z]+)", read(page), re.MULTILINE))
    assert named
    assert named <= targets()


def test_the_makefile_marks_its_commands_as_phony() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == targets()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "hub/decisions/README.md"])
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?![a-z]+:|#)([^)#]+)", read(page))
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_every_decision_is_listed() -> None:
    listed = set(re.findall(r"\]\(([^)]+\.md)\)", read("hub/decisions/README.md")))
    assert {path.name for path in (ROOT / "hub/decisions").glob("*.md")} - {"README.md"} == listed


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    assert re.search(r"^## Unreleased$", read("CHANGELOG.md"), re.MULTILINE)


def test_the_licence_is_apache() -> None:
    text = " ".join(read("LICENSE").split())
    assert text.startswith("Apache License Version 2.0, January 2004")
    assert "END OF TERMS AND CONDITIONS" in text
    assert tomllib.loads(read("pyproject.toml"))["project"]["license"] == "Apache-2.0"


def settings_table() -> str:
    """The table of settings as the README must hold it."""
    rows = [
        f"| `BUSBAR_{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | default | what it changes |", "|---|---|---|", *rows])


def _default(value: object) -> str:
    match value:
        case None | "" | ():
            return "none"
        case bool():
            return str(value).lower()
        case SecretStr():
            raise AssertionError("a secret has no default")
        case int() | float() | Decimal():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case _:
            return f"`{value}`"


def test_the_readme_lists_every_setting_with_its_default() -> None:
    assert settings_table() in read("README.md"), f"README.md must hold this table:\n{settings_table()}"


@pytest.mark.parametrize("page", ["README.md", "hub/cli/partner.py", "hub/api/partners.py", "openapi/management.json"])
def test_what_a_crash_forgets_of_the_counts_of_losses_is_said_where_they_are_shown(page: str) -> None:
    assert f"counts are written every {WRITTEN_EVERY_S:g} seconds" in read(page)
