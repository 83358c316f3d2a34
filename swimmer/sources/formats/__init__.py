"""Readers of file formats and record shapes, each yielding plain records."""
