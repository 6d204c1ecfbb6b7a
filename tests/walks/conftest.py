"""One site a database for all walks on it, which `tests.scheduling` therefore gives to one worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import a_database
from tests.walks.site import Site


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A hub with three partners, as processes."""
    directory = tmp_path_factory.mktemp(f"site-{request.param}")
    database_url = a_database(request, directory)
    opened = Site.open(database_url, directory)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _all_is_well(site: Site) -> None:
    """Each walk begins with everything running and in a good temper; old complaints are not its affair."""
    site.mend()
    for emsp in site.emsps.values():
        emsp.new_complaints()
