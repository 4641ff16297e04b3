"""The shell around the core: the inbox loop and everything that acts on the world."""
