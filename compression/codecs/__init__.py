"""One file per codec; `compression.registry` names them."""
