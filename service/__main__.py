"""`python -m service` is `heard`."""

from service.cli.main import main

main()
