"""Options: ranges are checked where a class of options is used."""

import dataclasses
import math
import re

import pytest

from tff_lm.options import check_ranges, option


@dataclasses.dataclass(frozen=True)
class _Options:
    """What the test sets."""

    share: float = option(0.5, "a share", minimum=0, maximum=1)
    count: int = option(1, "how many", minimum=1)
    free: float = option(0.0, "anything")


@pytest.mark.parametrize("values", [{"share": 0}, {"share": 1}, {"count": 1}, {"free": -1e9}])
def test_limits_are_included_and_what_has_none_is_free(values):
    check_ranges("layer", _Options(**values))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"share": -0.1}, "layer: share = -0.1 must be at least 0 and at most 1."),
        ({"share": 1.1}, "layer: share = 1.1 must be at least 0 and at most 1."),
        ({"share": math.nan}, "layer: share = nan must be at least 0 and at most 1."),
        ({"count": 0}, "layer: count = 0 must be at least 1."),
    ],
)
def test_a_value_out_of_its_range_is_named_with_its_limits(values, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        check_ranges("layer", _Options(**values))
