"""The health of a pool: supply against demand, pyramids, what is coming, load, concentration, and whom to take in."""
