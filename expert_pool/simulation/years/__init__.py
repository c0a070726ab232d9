"""Years ahead: a pool that ages, renews itself and serves, season after season, every panel really assembled."""
