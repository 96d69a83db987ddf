"""e-Budgeting, the city's budget application (Badan Pengelolaan Keuangan dan Aset Daerah): files in a drop folder.

Feeds: ``rka`` (its own export, read by ``rka.read``) and ``apbd`` (published budget documents, ``apbd.read``).
"""

SYSTEM = "e-budgeting"
TITLE = "e-Budgeting"
AGENCY = "5.02.0.00.0.00.01.0000"
"""The OPD that owns the application: BPKAD."""

FEEDS = ("rka", "apbd")
"""Each has its own folder ``drop/e-budgeting/<feed>/``."""
