"""The HTTP client through which every publisher is fetched."""
