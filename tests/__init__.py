"""Tests of Arus; each folder is named after what it tests."""
