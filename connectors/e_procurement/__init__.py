"""e-Procurement: the city's SPSE over SOAP 1.1, and the national snapshot feeds."""

SYSTEM = "e-procurement"
TITLE = "e-Procurement"
AGENCY = "4.01.0.00.0.00.02.0000"
"""The OPD that owns the application: Sekretariat Daerah, Bagian Pengadaan Barang/Jasa."""
