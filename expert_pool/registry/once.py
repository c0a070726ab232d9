"""Requests answered before, so that a repeated one is not carried out again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Table


class AnsweredRequest(Table):
    """One request that an account sent with a key of its own, and the answer it was given.

    `request_sha256` tells another request under the same key. `answer_sealed` (status, headers, body) may name people,
    so it is encrypted; the row is deleted after a day.
    """

    __tablename__ = "answered_request"
    __table_args__ = (UniqueConstraint("account_id", "key"),)
    account_id: Mapped[int]
    key: Mapped[str]
    request_sha256: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
    answer_sealed: Mapped[bytes] = mapped_column(LargeBinary)
