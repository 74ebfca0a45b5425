"""What clients keep between their rounds, beside the data: control variates, error feedback, ..."""
