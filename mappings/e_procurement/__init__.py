"""e-Procurement (SPSE): the national ISB snapshot feeds, and the city's own SPSE over SOAP."""
