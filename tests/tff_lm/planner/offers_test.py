"""The planner's bytes are those that a real round measures."""

# bazel: size = large

from tests.tff_lm.learning import fixtures  # isort: skip

import functools
import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from compression.aggregation import UpdateAggregator
from compression.broadcast import build_compressed_broadcast
from compression.ledger import CommunicationLedger
from compression.registry import codec_of
from compression.variables import code_variables
from tff_lm.learning.options import PartialOptions
from tff_lm.learning.partial import build_client_model, trained_mask
from tff_lm.planner import offers
from tff_lm.planner.catalogue import DOWNLOADS, UPLOADS

MODEL_FN = functools.partial(fixtures.TinyModel, width=64)
SHAPES = ((13, 64), (64, 64), (64, 13), (13,))
SIZES = np.array([math.prod(shape) for shape in SHAPES])
MIN_ELEMENTS = 500  # all matrices of the tiny model are coded, its bias is not
MIN_SIZE = 500
FRACTIONS = (1.0, 0.8, 0.6, 0.3, 0.1)
CLIENTS = (1, 2, 3)


@functools.cache
def upload_offers(policy="fixed"):
    return offers.upload_offers(
        MODEL_FN, policy, FRACTIONS, 3, min_elements=MIN_ELEMENTS, min_size=MIN_SIZE
    )


@functools.cache
def download_offers():
    return offers.download_offers(MODEL_FN, min_elements=MIN_ELEMENTS)


def real_round(upload, download, policy="full", fraction=1.0):
    """The metrics of a round of three clients, and what its ledger says of it."""
    options = PartialOptions(policy, fraction, min_size=MIN_SIZE)
    client_model = build_client_model(MODEL_FN, fixtures.STARTS_WORD, options)
    parts = {
        "aggregator": UpdateAggregator(codec_of(upload.expression), min_elements=MIN_ELEMENTS),
        "distributor": build_compressed_broadcast(
            client_model.partition.weights_type(),
            codec_of(download.expression),
            min_elements=MIN_ELEMENTS,
        ),
    }
    process = fixtures.process(client_model, parts=parts)
    ((_, metrics),) = fixtures.run(process, [fixtures.cohort(*CLIENTS, count=1)])
    ledger = CommunicationLedger(int(SIZES.sum()))
    measured = [metrics["aggregator"]], [metrics["distributor"]]
    ledger.record_round(len(CLIENTS), *measured)
    return client_model, ledger.totals()


def fraction_of(offer):
    """What is asked for; what is sent meets it within half a variable."""
    return offer.overrides.get("partial.fraction", 1.0)


def encoded_bytes(choice):
    """What the variables of the model come to, coded one by one."""
    described = [(shape, np.dtype(np.float32)) for shape in SHAPES]
    rng = np.random.default_rng(0)
    bits = 0
    for each in code_variables(described, codec_of(choice.expression), MIN_ELEMENTS):
        value = tf.constant(rng.normal(size=each.shape), tf.float32)
        bits += int(each.codec.payload_bits(each.codec.encode(value, tf.constant([3, 4]))))
    return bits / 8


class OffersTest(parameterized.TestCase):
    @parameterized.named_parameters(
        (f"{direction}_{choice.label.replace(' ', '_')}", direction, choice)
        for direction, choices in (("upload", UPLOADS), ("download", DOWNLOADS))
        for choice in choices
    )
    def test_codecs_cost_what_they_make(self, direction, choice):
        offered = upload_offers() if direction == "upload" else download_offers()
        (offer,) = (o for o in offered if o.label == choice.label and fraction_of(o) == 1.0)
        self.assertEqual((offer.mean_bytes, offer.worst_bytes), (encoded_bytes(choice),) * 2)

    # A range by bucket, a rotation, and indices: all that payloads are made of.
    @parameterized.parameters(
        ("uniform 4 bits", "uniform 4 bits, nearest"),
        ("rotated uniform 3 bits", "eden 4 bits"),
        ("top 10%", "bfloat16"),
    )
    def test_codecs_cost_what_a_round_measures(self, *labels):
        upload, download = (
            next(choice for choice in choices if choice.label == label)
            for choices, label in zip((UPLOADS, DOWNLOADS), labels, strict=True)
        )
        _, totals = real_round(upload, download)
        (sent,) = (o for o in upload_offers() if o.label == upload.label and fraction_of(o) == 1.0)
        (received,) = (o for o in download_offers() if o.label == download.label)
        for direction, offer in (("upload", sent), ("download", received)):
            measured = totals[f"communication.total.{direction}_bytes_per_client"]
            self.assertEqual(offer.mean_bytes, measured)
            self.assertEqual(offer.worst_bytes, measured)
            self.assertAlmostEqual(
                4 * SIZES.sum() / offer.mean_bytes,
                totals[f"communication.total.{direction}_reduction"],
            )

    @parameterized.parameters(0.8, 0.3)
    def test_fixed_fractions_cost_what_a_round_measures(self, fraction):
        choice = UPLOADS[-1]
        (offer,) = (
            o for o in upload_offers() if o.label == choice.label and fraction_of(o) == fraction
        )
        client_model, totals = real_round(choice, DOWNLOADS[0], "fixed", fraction)
        measured = totals["communication.total.upload_bytes_per_client"]
        self.assertEqual((offer.mean_bytes, offer.worst_bytes), (measured, measured))
        trained = SIZES[list(client_model.partition.trained)].sum()
        self.assertAlmostEqual(offer.fraction, trained / SIZES.sum())

    @parameterized.product(
        policy=("per_round", "per_client_per_round", "rolling"), fraction=FRACTIONS[1:]
    )
    def test_random_fractions_hold_for_every_draw(self, policy, fraction):
        offer, client_model, bits = self.offered(policy, fraction)
        many = [
            bits[trained_mask(client_model, number, (number, 11))].sum() for number in range(600)
        ]
        self.assertEqual(max(many), 8 * offer.worst_bytes)
        self.assertBetween(np.mean(many) / 8 / offer.mean_bytes, 0.9, 1.1)

    @parameterized.parameters(("per_round", 0.6), ("per_client_per_round", 0.3), ("rolling", 0.8))
    def test_random_fractions_hold_for_every_client(self, policy, fraction):
        offer, client_model, bits = self.offered(policy, fraction)
        choice = next(choice for choice in UPLOADS if choice.label == offer.label)
        _, totals = real_round(choice, DOWNLOADS[0], policy, fraction)
        drawn = [bits[trained_mask(client_model, 0, (client, 7))].sum() for client in CLIENTS]
        self.assertEqual(totals["communication.total.upload_bytes"], sum(drawn) // 8)
        self.assertLessEqual(max(drawn), 8 * offer.worst_bytes)

    def offered(self, policy, fraction):
        """The offer of 8 bits, the model as its clients train it, and the bits of its variables."""
        (offer,) = (
            o
            for o in upload_offers(policy)
            if o.label == "uniform 8 bits, 1 range" and fraction_of(o) == fraction
        )
        options = PartialOptions(policy, fraction, min_size=MIN_SIZE)
        client_model = build_client_model(MODEL_FN, fixtures.STARTS_WORD, options)
        # A matrix has a range of two float32; the bias is sent as float32.
        return offer, client_model, np.where(SIZES > MIN_ELEMENTS, 8 * SIZES + 64, 32 * SIZES)

    def test_every_codec_comes_with_every_fraction_that_the_model_allows(self):
        found = upload_offers("per_client_per_round")
        self.assertLen(found, len(UPLOADS) * len(FRACTIONS))
        untrainable = offers.upload_offers(MODEL_FN, "fixed", (1.0, 0.5), 3, min_size=10**6)
        self.assertLen(untrainable, len(UPLOADS))

    def test_a_smaller_fraction_and_fewer_bits_err_more(self):
        errors = {(o.label, fraction_of(o)): o.error for o in upload_offers("rolling")}
        self.assertGreater(errors["uniform 4 bits", 1.0], errors["uniform 8 bits", 1.0])
        self.assertGreater(errors["uniform 8 bits", 0.3], errors["uniform 8 bits", 0.8])


if __name__ == "__main__":
    absltest.main()
