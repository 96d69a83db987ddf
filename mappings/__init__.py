"""Translations between the forms of the systems and the canonical model."""
