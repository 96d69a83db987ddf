"""The feeds of each system: how its files and pages are read, joined with what a row means."""
