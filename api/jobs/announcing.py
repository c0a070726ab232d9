"""Telling who asked for a run that it has ended, in the transaction that ends it."""

from __future__ import annotations

import logging

from sqlalchemy.orm import Session

from expert_pool.keys import Key

log = logging.getLogger("expert_pool.jobs")


def announce(session: Session, key: Key, code: str) -> None:
    """Leave a notice that the run has ended. A run ends even where its notice cannot be written."""
    from expert_pool.notices.events import run_ended

    try:
        with session.begin_nested():
            run_ended(session, key, code)
    except Exception as error:
        log.error("run %s: no notice of its end: %s", code, type(error).__name__)
