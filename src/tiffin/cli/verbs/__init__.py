"""One module per verb: COMMAND, which is its options and its sentence, and `act`, which does it."""
