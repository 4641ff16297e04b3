"""Widgets that draw lines themselves (Textual's line API); nothing here knows the engine."""
