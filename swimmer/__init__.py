"""swimmer: the papers of a conference that are most like one you know."""
