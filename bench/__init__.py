"""Benchmarks, side by side with rivals; `make bench` prints ratios."""
