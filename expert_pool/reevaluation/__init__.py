"""Periodic re-evaluation: who stays in the pool, on evidence that can be shown."""
