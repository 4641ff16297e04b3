"""The durable record: journal, projections, checkpoints, exports. One writer; readers only read."""
