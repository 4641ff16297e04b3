"""A made-up market, seeded and reproducible: what a user sees before any venue is set up (V-2)."""
