"""Modal screens: one question, list or form each. They answer; they never send anything."""
