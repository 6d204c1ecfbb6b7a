"""PUT of a token as FastAPI and SQLModel document it: what this project would cost if written the usual way.

A body model, the partner by `Depends`, a session by `Depends`, `response_model`; SQLModel's async session on SQLite
with the same durability (WAL, synchronous=FULL): a look at the row that is there, `merge`, a change row, `commit`.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from pydantic import BaseModel
from pydantic import Field as Constraint
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.ceilings import served
from bench.child import Idle, run

_PATIENCE_S = 60.0
"""By default SQLite gives up after 5 s: with 64 writers on a busy machine some would."""


class TokenBody(BaseModel):
    """A token of OCPI 2.2.1 (mod_tokens_token_object)."""

    country_code: Annotated[str, Constraint(min_length=2, max_length=2)]
    party_id: Annotated[str, Constraint(min_length=3, max_length=3)]
    uid: Annotated[str, Constraint(max_length=36)]
    type: Literal["AD_HOC_USER", "APP_USER", "OTHER", "RFID"]
    contract_id: Annotated[str, Constraint(max_length=36)]
    visual_number: Annotated[str | None, Constraint(max_length=64)] = None
    issuer: Annotated[str, Constraint(max_length=64)]
    group_id: Annotated[str | None, Constraint(max_length=36)] = None
    valid: bool
    whitelist: Literal["ALWAYS", "ALLOWED", "ALLOWED_OFFLINE", "NEVER"]
    language: Annotated[str | None, Constraint(max_length=2)] = None
    default_profile_type: Literal["CHEAP", "FAST", "GREEN", "REGULAR"] | None = None
    last_updated: datetime


class Envelope(BaseModel):
    """What every answer is (transport_and_format, Response format)."""

    status_code: int
    status_message: str
    timestamp: datetime


class TokenRow(SQLModel, table=True):
    """A token."""

    key: str = Field(primary_key=True)
    owner: str = Field(index=True)
    uid: str = Field(index=True)
    last_updated: str = Field(index=True)
    body: str


class TokenChange(SQLModel, table=True):
    """A change for partners."""

    seq: int | None = Field(default=None, primary_key=True)
    at: str
    module: str
    key: str
    owner: str


async def opened(request: Request) -> AsyncIterator[AsyncSession]:
    """A session for one request."""
    async with AsyncSession(request.app.state.engine) as session:
        yield session


def partner(request: Request, authorization: Annotated[str, Header()]) -> str:
    """The party that is calling."""
    owner: str | None = request.app.state.partners.get(authorization)
    if owner is None:
        raise HTTPException(401)
    return owner


async def put_token(
    country_code: str,
    party_id: str,
    uid: str,
    body: TokenBody,
    response: Response,
    owner: Annotated[str, Depends(partner)],
    session: Annotated[AsyncSession, Depends(opened)],
) -> Any:
    """Keep a new or changed token. OCPI mod_tokens_put_method."""
    if f"{country_code}*{party_id}" != owner or body.uid != uid:
        raise HTTPException(404)
    key = f"{owner}/{uid}/{body.type}"
    known = await session.get(TokenRow, key)
    now, updated = datetime.now(UTC), body.last_updated.isoformat()
    if known is None:
        response.status_code = 201
    if known is None or known.last_updated <= updated:
        row = TokenRow(key=key, owner=owner, uid=uid, last_updated=updated, body=body.model_dump_json())
        await session.merge(row)
        session.add(TokenChange(at=now.isoformat(), module="tokens", key=key, owner=owner))
        await session.commit()
    return {"status_code": 1000, "status_message": "Success", "timestamp": now}


def application(database: Path, token: str) -> FastAPI:
    """The application, with one partner known."""
    app = FastAPI()
    app.state.engine = create_async_engine(f"sqlite+aiosqlite:///{database}", connect_args={"timeout": _PATIENCE_S})
    event.listen(app.state.engine.sync_engine, "connect", _durable)
    app.state.partners = {"Token " + base64.b64encode(token.encode()).decode(): "NL*EEE"}
    path = "/ocpi/2.2.1/receiver/tokens/{country_code}/{party_id}/{uid}"
    app.put(path, response_model=Envelope)(put_token)
    return app


def _durable(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


async def start(options: dict[str, Any]) -> Idle:
    """Create the tables, serve."""
    app = application(Path(options["directory"], "reference.db"), options["token"])
    async with app.state.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    service = await served(app)

    async def close() -> None:
        await service.stop()
        await app.state.engine.dispose()

    return Idle(service.port, close)


if __name__ == "__main__":
    run(start)
