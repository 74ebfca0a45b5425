"""The names that the schema repeats are those of the registries, no more and no less."""

from absl.testing import absltest, parameterized

from compression.level_codec import LevelCodec
from compression.registry import CODECS
from tasks.registry import CORPORA
from tff_lm.config import default_config, schema
from tff_lm.experiment import settings
from tff_lm.learning.algorithms import ALGORITHMS
from tff_lm.learning.local_training import WEIGHTINGS
from tff_lm.learning.partial import ORDERS, POLICIES
from tff_lm.learning.schedules import SCHEDULES
from tff_lm.learning.update_rules import UPDATE_RULES
from tff_lm.models import MODELS
from tff_lm.models.positions import POSITIONS

# Wrappers have options of their own: upload.rotated, upload.scaled, upload.entropy.
WRAPPERS = {"rotated", "scaled", "entropy"}


class RegistriesTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("tasks", schema.TASKS, CORPORA),
        ("models", schema.MODELS, MODELS),
        (
            "scale_invariant_models",
            schema.SCALE_INVARIANT_MODELS,
            [name for name, model in MODELS.items() if model.scale_invariant],
        ),
        ("positions", schema.POSITIONS, POSITIONS),
        (
            "models_with_attention",
            [name for name in schema.MODELS if not name.startswith("lstm")],
            [name for name, model in MODELS.items() if model.attends],
        ),
        ("algorithms", schema.ALGORITHMS, ALGORITHMS),
        ("optimizers", schema.OPTIMIZERS, UPDATE_RULES),
        ("policies", schema.POLICIES, POLICIES),
        ("orders", schema.ORDERS, ORDERS),
        ("schedules", schema.SCHEDULES, SCHEDULES),
        ("weightings", schema.WEIGHTINGS, WEIGHTINGS),
        ("codecs", schema.CODECS, set(CODECS) - WRAPPERS),
        (
            "level_codecs",
            schema.LEVEL_CODECS,
            [name for name, codec in CODECS.items() if issubclass(codec, LevelCodec)],
        ),
    )
    def test_names(self, ours, theirs):
        self.assertSameElements(ours, theirs)

    @parameterized.product(
        codec=schema.CODECS, rotated=(False, True), section=("upload", "download")
    )
    def test_every_codec_can_be_configured(self, codec, rotated, section):
        config = default_config()
        config[section].codec = codec
        config[section].rotated = rotated and codec in schema.UNROTATED_CODECS
        config[section].entropy = codec in schema.LEVEL_CODECS
        made = settings.codec(config, section)
        expected = CODECS["entropy"] if config[section].entropy else CODECS[codec]
        self.assertIsInstance(made, CODECS["rotated"] if config[section].rotated else expected)

    def test_options_reach_the_codec_and_strangers_are_refused(self):
        config = default_config()
        config.upload.codec = "uniform"
        config.upload.bits = 3
        config.upload.stochastic = False
        made = settings.codec(config, "upload")
        self.assertEqual((made.bits, made.stochastic), (3, False))
        config.upload.codec = "drive"
        with self.assertRaisesRegex(settings.ConfigError, "upload.bits has no meaning .*'drive'"):
            settings.codec(config, "upload")
        config.upload.stochastic = True
        config.upload.codec = "eden"
        config.upload.bits = 16
        with self.assertRaisesRegex(settings.ConfigError, "upload: .*bits"):
            settings.codec(config, "upload")


if __name__ == "__main__":
    absltest.main()
