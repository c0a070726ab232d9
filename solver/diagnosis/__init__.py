"""Why there is no panel, and what would help: clashing sets, cheapest relaxations, the thin-pool ladder."""
