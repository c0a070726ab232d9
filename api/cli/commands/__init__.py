"""The commands, one module per subject. Each takes words from the user, calls one function below, and prints."""
