"""`python -m hive`: the command."""

from hive.cli import main

if __name__ == "__main__":
    main()
