"""The ways in: HTTP, command line and worker."""
