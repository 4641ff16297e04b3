"""The embedded matching engine: orders filled on paper from any feed's prices (E-30)."""
