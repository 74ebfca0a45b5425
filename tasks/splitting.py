"""Who trains and who is held out: a split by client that moves a client only to fill a part up."""

import hashlib
from collections.abc import Iterable

SPLITS = ("train", "validation", "test")
# Text from elsewhere, which some tasks have beside these, of people who do not write in the corpus.
UNSEEN = "unseen"

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


def split_all(client_ids: Iterable[str], seed: int) -> dict[str, list[str]]:
    """The split of a whole corpus: `split_of`, where no part is left too small.

    Of a small corpus a hash may leave a part empty. Every part has at least one client, or three
    where there are thirty, as far as there are so many. What a part lacks comes from the largest
    one: the clients of the highest `client_fraction`, which are those nearest to being held out.

    Args:
      client_ids: Each once.
      seed: Seed of the split.

    Returns:
      The clients of each split, in the order given.
    """
    order = list(client_ids)
    split = {client: split_of(client, seed) for client in order}
    least = 3 if len(order) >= 30 else 1

    def members(part: str) -> list[str]:
        return [client for client in order if split[client] == part]

    for part in SPLITS:
        while len(members(part)) < least:
            largest = max(SPLITS, key=lambda each: len(members(each)))
            if len(members(largest)) <= least:
                break
            moved = max(members(largest), key=lambda each: (client_fraction(each, seed), each))
            split[moved] = part
    return {part: members(part) for part in SPLITS}
