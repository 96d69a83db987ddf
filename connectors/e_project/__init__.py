"""e-Project: REST both ways, OAuth 2.0, optimistic locking, a rate limit."""
