"""Journal adapters: what makes an event durable, and what can be read back."""
