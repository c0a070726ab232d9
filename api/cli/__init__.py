"""The command line `expert-pool`."""
