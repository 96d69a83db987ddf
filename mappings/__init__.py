"""Pure functions between the systems' own formats and the canonical models; imports nothing of the hub."""
