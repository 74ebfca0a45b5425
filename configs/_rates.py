"""Learning rates on the chat task, by model: the one place where a preset has them from.

`--config=configs/chat.py:MODEL` is a model with its rates; whatever prints a command prints that.
"""

# Of the clients and of the server. With those of the small Transformer the large one diverges.
BY_MODEL = {"transformer_small": (0.1, 0.005), "transformer_large": (0.03, 0.001)}


def of(model: str) -> tuple[float, float]:
    """Rates of the clients and of the server; a model without its own has the small Transformer's.

    A name that no model has is not refused here: the configuration says so, with the nearest one.
    """
    return BY_MODEL.get(model, BY_MODEL["transformer_small"])
