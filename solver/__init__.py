"""The optimiser: a panel problem (plain data) in, a panel with proof and reasons out. Imports nothing of ours."""
