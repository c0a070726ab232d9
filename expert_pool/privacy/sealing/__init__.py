"""Seals against the owner of the host: who sits is closed under a key that only several supervisors make together."""
