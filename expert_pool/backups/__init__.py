"""Backups of the whole registry while it is in use, and restoring them into either kind of database.

A backup is one zip file (`expert-pool-backup/1`): `registry.db`, an SQLite database that holds every table as it
stood at one moment, and `manifest.json`, which says what is in it, its hash, and where the ledger's chains ended. It
is the same from SQLite and from PostgreSQL, so an office's file moves to a city's cluster by restoring it there. The
key is never in it.
"""

from expert_pool.backups.archive import FORMAT, Manifest
from expert_pool.backups.restoring import Restored, restore
from expert_pool.backups.saving import back_up, keep_key

__all__ = ["FORMAT", "Manifest", "Restored", "back_up", "keep_key", "restore"]
