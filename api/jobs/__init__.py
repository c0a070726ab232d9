"""Background work: a thin port, and the engines behind it."""
