"""The ids that every vocabulary begins with; what they stand for is in `tasks/vocabulary.py`."""

PAD, BOS, EOS, UNK = range(4)
