"""The page: search, papers, a reading list, in a browser; `app.py` is where it begins."""
