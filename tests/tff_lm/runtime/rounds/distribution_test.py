from absl.testing import absltest
from hypothesis import given
from hypothesis import strategies as st

from tff_lm.runtime.rounds import distribution


class SplitTest(absltest.TestCase):
    def test_in_order_and_in_proportion(self):
        self.assertEqual(distribution.split(list("abcdef"), [2, 1]), [list("abcd"), list("ef")])
        self.assertEqual(distribution.split(["a"], [1, 1, 1]), [[], ["a"], []])

    @given(st.lists(st.text(max_size=3), max_size=40), st.lists(st.integers(1, 64), min_size=1))
    def test_nobody_is_lost_or_doubled(self, specs, shares):
        slices = distribution.split(specs, shares)
        self.assertLen(slices, len(shares))
        self.assertEqual([spec for part in slices for spec in part], specs)

    @given(st.integers(1, 200), st.lists(st.integers(1, 64), min_size=1, max_size=8))
    def test_each_share_within_one_client(self, count, shares):
        slices = distribution.split(["client"] * count, shares)
        for part, share in zip(slices, shares, strict=True):
            self.assertLessEqual(abs(len(part) - count * share / sum(shares)), 1.0)


if __name__ == "__main__":
    absltest.main()
