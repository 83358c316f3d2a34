"""`python -m swimmer` is the command line."""

from swimmer.cli import main

main()
