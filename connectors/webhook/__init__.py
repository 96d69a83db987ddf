"""Subscriptions: any system that can take a signed CloudEvents POST, without a connector of its own."""
