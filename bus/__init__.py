"""Arus: the hub through which the systems of a city government exchange records."""
