"""The work behind each kind of run, one module a family."""
