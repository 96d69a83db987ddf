"""e-Procurement: the city's SPSE over SOAP 1.1, and the national snapshot feeds."""
