"""Who trains and who is held out: a split by client that never moves a client."""

import hashlib

SPLITS = ("train", "validation", "test")

_TRAIN_SHARE = 0.8
_VALIDATION_SHARE = 0.1


def client_fraction(client_id: str, seed: int) -> float:
    """A number in [0, 1) that is a function of the client's id and the seed alone."""
    digest = hashlib.sha256(f"{seed}/{client_id}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2.0**56


def split_of(client_id: str, seed: int) -> str:
    """The split of a client: about 80% train, 10% validation, 10% test.

    A function of this client alone, so clients that join or leave a corpus move nobody else.

    Args:
      client_id: Non-empty id.
      seed: Seed of the split (not of a run: runs with different seeds share their test users).

    Returns:
      One of `SPLITS`.
    """
    fraction = client_fraction(client_id, seed)
    if fraction < _TRAIN_SHARE:
        return "train"
    return "validation" if fraction < _TRAIN_SHARE + _VALIDATION_SHARE else "test"
