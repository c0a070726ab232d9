"""The registry of experts and the office's work with it."""
