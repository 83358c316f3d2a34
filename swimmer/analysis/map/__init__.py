"""The map of a store: every paper a point, topics found and named."""
