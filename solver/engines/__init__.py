"""Engines that solve a model; each knows nothing of rules."""
