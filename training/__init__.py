"""Training of the static model that swimmer ships; never imported by the package itself."""
