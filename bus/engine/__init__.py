"""Acceptance, lanes, delivery and the store behind them."""
