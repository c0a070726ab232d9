"""Alembic's entry: runs the revisions on the connection it is given, else on the configured URL."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine

from expert_pool.registry import Table

OPTIONS: dict[str, Any] = {"target_metadata": Table.metadata, "render_as_batch": True}


def run(connection: Connection) -> None:
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
url = context.config.get_main_option("sqlalchemy.url")
if context.is_offline_mode():
    context.configure(url=url, literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()
elif given is not None:
    run(given)
elif url is not None:
    with create_engine(url).begin() as opened:
        run(opened)
else:
    raise ValueError("neither a connection nor a URL was given")
