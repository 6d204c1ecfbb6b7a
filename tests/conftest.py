"""Fixtures for all tests: databases, and a whole hub for each OCPI version."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
from hypothesis import settings
from structlog.dev import ConsoleRenderer, plain_traceback
from xdist.remote import Producer

from tests.databases import database_url, in_memory, postgres_server, postgres_url, sqlite_url
from tests.scheduling import LongestFirst
from tests.world import VERSIONS, World, a_furnished, a_world

__all__ = [
    "database_url",
    "furnished",
    "postgres_server",
    "postgres_url",
    "sqlite_url",
    "version",
    "world",
    "world_on_both",
]


def pytest_configure() -> None:
    """What holds for all tests, before any of them is read.

    Laws are tried with the same examples each time and at any pace, here as in a pipeline. What is logged of an error
    is plain: with all variables of all frames, as structlog does it, it takes two seconds. Files of tests are in memory
    where there is room: SQLite syncs at each commit, as the hub demands.
    """
    settings.load_profile("ci")
    ConsoleRenderer.get_active().exception_formatter = plain_traceback
    memory = in_memory()
    if memory is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LongestFirst:
    """Who runs what, with `-n`."""
    return LongestFirst(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: the garbage collector need not look through it again and again.

    It looks for cycles after ten thousand new objects, not after 700: what tests leave goes without it, nearly all.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000)
        gc.enable()


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """Each OCPI version: tests that take this run three times."""
    return str(request.param)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for databases that are made once and copied for each test."""
    return tmp_path_factory.mktemp("furnished")


@pytest.fixture
async def world(furnished: Path, tmp_path: Path, version: str) -> AsyncIterator[World]:
    """A hub on SQLite whose partners speak `version`."""
    async with a_world(await a_furnished(furnished, tmp_path, version), version) as world:
        yield world


@pytest.fixture
async def world_on_both(database_url: str, version: str) -> AsyncIterator[World]:
    """The same on SQLite and on PostgreSQL."""
    async with a_world(database_url, version) as made:
        yield made
