"""Notices: what somebody is told, written with its cause, and carried out of the house by mail, gateways or files."""
