"""What people and systems ask of the store: one function per question, none of which writes.

Answers are JSON-ready: snake_case names, times in ISO 8601 with their zone.
"""
