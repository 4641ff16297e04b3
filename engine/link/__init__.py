"""How a console attaches to an engine: in process, or over a Unix socket."""
