"""Composition root: the only room that knows which adapters exist."""
