"""Accounts and what they may do: managing the pool, using it and drawing from it are kept apart."""
