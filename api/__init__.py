"""The faces: command line, and later the service and the page. Thin: no rule is decided here."""
