"""The HTTP face: resources under /api/v1. No rule is decided here."""
