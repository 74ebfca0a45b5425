import tensorflow as tf
from absl.testing import absltest, parameterized
from hypothesis import given
from hypothesis import strategies as st

from tff_lm.client_order import NOBODY, ClientOrder, parse_in_graph

_ORDERS = st.builds(
    ClientOrder,
    seed=st.integers(-(2**40), 2**40),
    round=st.integers(0, 2**31 - 1),
    client=st.text(min_size=1),
    steps=st.integers(0, 2**31),
    share=st.floats(1e-12, 1.0),
    model_version=st.integers(-1, 2**31),
)


class ClientOrderTest(parameterized.TestCase):
    @given(_ORDERS)
    def test_text_and_back(self, order):
        self.assertEqual(ClientOrder.parse(order.encode()), order)

    @given(_ORDERS)
    def test_a_graph_reads_what_python_reads(self, order):
        client = order.client.encode("utf-8", "replace")
        if b"\0" in client or b"\n" in client:
            return  # no ids: they come from SQLite and from lines
        read = parse_in_graph(tf.constant(order.encode().encode("utf-8", "replace")))
        self.assertEqual(read.client.numpy(), client)
        self.assertEqual(read.steps.numpy(), order.steps)
        self.assertEqual(read.share.numpy(), order.share)

    def test_defaults_are_not_written(self):
        self.assertEqual(ClientOrder(7, 12, "anna").encode(), "7/12/anna")
        order = ClientOrder(7, 12, "a/b", steps=3, share=0.5)
        self.assertEqual(order.encode(), "7/12;steps=3;share=0.5/a/b")

    def test_less_work_has_the_same_randomness(self):
        seeds = [
            parse_in_graph(tf.constant(order.encode())).seed.numpy().tolist()
            for order in (
                ClientOrder(7, 12, "anna"),
                ClientOrder(7, 12, "anna", steps=2, share=0.25, model_version=11),
                ClientOrder(7, 13, "anna"),
            )
        ]
        self.assertEqual(seeds[0], seeds[1])
        self.assertNotEqual(seeds[0], seeds[2])
        # The halves of a seed are independent: one alone would leave 2^31 of them.
        self.assertNotEqual(*seeds[0])

    def test_an_id_that_looks_like_an_order_is_an_id(self):
        order = ClientOrder(0, 1, "2;steps=3/x")
        read = parse_in_graph(tf.constant(order.encode()))
        self.assertEqual((read.client.numpy(), read.steps.numpy()), (b"2;steps=3/x", 0))
        self.assertEqual(ClientOrder.parse(order.encode()), order)

    def test_nobody(self):
        self.assertEqual(ClientOrder(1, 2, NOBODY).encode(), "")
        self.assertEqual(ClientOrder.parse("").client, NOBODY)
        self.assertEqual(parse_in_graph(tf.constant("")).client.numpy(), b"")

    @parameterized.parameters("a", "0/a", "0/0/", "x/0/a", "0/0.5/a", "0/1;steps/a", "0/1;pace=2/a")
    def test_what_is_no_order_is_refused(self, text):
        with self.assertRaisesRegex(ValueError, "order"):
            ClientOrder.parse(text)

    @parameterized.parameters({"steps": -1}, {"share": 0.0}, {"share": 1.5}, {"model_version": -2})
    def test_impossible_work_is_refused(self, **work):
        with self.assertRaisesRegex(ValueError, "an order has"):
            ClientOrder(0, 1, "anna", **work)


if __name__ == "__main__":
    absltest.main()
