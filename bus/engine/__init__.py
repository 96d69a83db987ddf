"""Stores, routes, transforms, delivers, retries and replays. Knows no system and no format."""
