"""Policies as data: presets with cited rules, read and checked with the line of every mistake."""
