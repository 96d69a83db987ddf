"""Which messages go to which system, one file per route."""
