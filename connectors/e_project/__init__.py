"""e-Project: REST both ways, OAuth 2.0, optimistic locking, a rate limit."""

SYSTEM = "e-project"
TITLE = "e-Project"
AGENCY = "4.01.0.00.0.00.01.0000"
"""The OPD that owns the application: Sekretariat Daerah, Bagian Administrasi Pembangunan."""
