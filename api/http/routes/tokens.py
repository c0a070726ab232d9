"""API tokens of the own account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.http.routes.sign_in import Mine
from api.http.service import Served
from expert_pool.accounts import Right, tokens
from expert_pool.registry import ApiToken

router = APIRouter(prefix="/tokens", tags=["tokens"])


class TokenAsked(BaseModel):
    """What a token is for, what it may do (null: whatever its owner may), and how long."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "每晚导出", "scopes": ["experts.read"], "days": 90}]},
    )

    name: str = Field(min_length=1, max_length=100)
    scopes: list[Right] | None = Field(default=None, max_length=len(Right))
    days: int = Field(default=90, ge=1, le=tokens.LONGEST_DAYS)


class Token(BaseModel):
    """An API token, without its text."""

    model_config = ConfigDict(extra="forbid")

    code: str
    name: str
    scopes: list[Right] | None
    created_at: datetime
    expires_at: datetime


class Tokens(BaseModel):
    model_config = ConfigDict(extra="forbid")

    items: list[Token]


class TokenMade(Token):
    """A new token. `token` is shown this once: `Authorization: Bearer ep_...`."""

    token: str


@router.get("", response_model=Tokens)
def list_tokens(mine: Mine, service: Served) -> Tokens:
    """The tokens of the own account that hold."""
    with service.store.reading() as session:
        found = tokens.alive(session, mine.principal.account_id)
    return Tokens(items=[Token(**document(token)) for token in found])


@router.post("", response_model=TokenMade, status_code=201)
def make_token(sent: TokenAsked, mine: Mine, service: Served) -> TokenMade:
    """A new token. It never gives more than its owner has when it is used."""
    with service.store.session() as session:
        token, text = tokens.make(
            session, service.store.key, mine.principal, sent.name, sent.scopes, sent.days
        )
    return TokenMade(**document(token), token=text)


@router.delete("/{code}", status_code=204)
def revoke_token(code: str, mine: Mine, service: Served) -> None:
    """End a token at once."""
    asks = mine.principal
    with service.store.session() as session:
        tokens.revoke(session, asks.account_id, asks.organiser_id, asks.actor, asks.actor, code)


def document(token: ApiToken) -> dict[str, Any]:
    """What is told of a token."""
    return {
        "code": token.code,
        "name": token.name,
        "scopes": None if token.scopes is None else token.scopes.split(),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }
