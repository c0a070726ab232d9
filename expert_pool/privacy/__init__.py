"""Personal data: who may see it and what for, how long it stays, how it goes, and what its owner may ask."""
