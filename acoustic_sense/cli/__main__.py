"""`python -m acoustic_sense.cli` is `acoustic-sense`."""

from acoustic_sense.cli.main import main

main()
