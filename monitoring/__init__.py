"""Metrics, alerts and dashboards of the hub."""
