from __future__ import annotations

import dataclasses

from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from tff_lm import expressions
from tff_lm.expressions import Expression, ExpressionError
from tff_lm.registry import Registry

THINGS: Registry[type] = Registry("thing", "THINGS")
FAST = settings(max_examples=100, deadline=None, derandomize=True, database=None)


@THINGS.register("plain")
@dataclasses.dataclass(frozen=True)
class Plain:
    bits: int = 4
    share: float = 0.5
    nearest: bool = False
    pattern: str = ""
    limit: float | None = None

    def __post_init__(self):
        if self.bits < 0:
            raise ValueError(f"plain: bits = {self.bits} is negative:\ngive a width.")


@THINGS.register("wrapped")
@dataclasses.dataclass(frozen=True)
class Wrapped:
    inner: object = Plain()
    other: object = Plain(bits=1)
    share: float = 0.5


@THINGS.register("needy")
@dataclasses.dataclass(frozen=True)
class Needy:
    norm: float


TEXTS = st.text(st.characters(exclude_characters="'\r\n"), max_size=8)
PLAIN = st.builds(
    Plain,
    bits=st.integers(0, 10**6),
    share=st.floats(allow_nan=False, allow_infinity=False),
    nearest=st.booleans(),
    pattern=TEXTS,
)
OBJECTS = st.recursive(
    PLAIN,
    lambda inner: st.builds(Wrapped, inner, other=inner, share=st.floats(-1, 1)),
    max_leaves=8,
)


def spelt(thing, draw):
    """One of the spellings of `thing`: arguments in any order, defaults or not, any spaces."""
    space = draw(st.sampled_from(["", " ", "\t", "  "]))
    arguments = []
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        if value == field.default and (value is None or draw(st.booleans())):
            continue
        if isinstance(value, (Plain, Wrapped)):
            text = spelt(value, draw)
        else:
            text = f"'{value}'" if isinstance(value, str) else repr(value)
        positional = field.name == "inner" and draw(st.booleans())
        arguments.append(text if positional else f"{field.name}{space}={space}{text}")
    arguments = draw(st.permutations(arguments))
    name = type(thing).__name__.lower()
    comma = "," if arguments and draw(st.booleans()) else ""
    if not arguments and draw(st.booleans()):
        return name
    return f"{space}{name}{space}({f',{space}'.join(arguments)}{comma}{space})"


class ExpressionsTest(parameterized.TestCase):
    def test_a_tree(self):
        tree = expressions.parse("wrapped(plain(bits = 3, nearest=True), share=-2e-1)", THINGS)
        inner = Expression("plain", (("bits", 3), ("nearest", True)))
        self.assertEqual(tree, Expression("wrapped", (("inner", inner), ("share", -0.2))))
        self.assertEqual(str(tree), "wrapped(plain(bits=3, nearest=True), share=-0.2)")

    @parameterized.parameters(
        ("plain", Plain()),
        (" plain( ) ", Plain()),
        ("plain(bits=2, share=1)", Plain(bits=2, share=1.0)),
        ("plain(limit=3)", Plain(limit=3.0)),
        (r"""plain(pattern="it's \d|a(b, c)=1")""", Plain(pattern=r"it's \d|a(b, c)=1")),
        ("wrapped(inner=plain(bits=2), other=wrapped)", Wrapped(Plain(2), Wrapped())),
        ("wrapped(share=.25, wrapped(plain,),)", Wrapped(Wrapped(), share=0.25)),
        ("needy(norm=1.)", Needy(1.0)),
    )
    def test_built(self, text, expected):
        built = expressions.build(text, THINGS)
        self.assertEqual(built, expected)
        self.assertEqual(repr(built), repr(expected))  # 1 is not 1.0, nor True

    @parameterized.parameters(
        ("", "a name is expected where the text ends"),
        ("plian", "unknown thing 'plian'; did you mean 'plain'?"),
        ("wrapped(plian(bits=2))", "unknown thing 'plian'; did you mean 'plain'?"),
        ("plain(bit=2)", "plain has no argument 'bit'; did you mean 'bits'?"),
        ("plain(wrapped)", "plain has no argument 'inner'"),
        ("plain(2)", "plain takes its arguments by name, as in name=1, not 2"),
        ("plain(bits=2", "',' or ')' is expected where the text ends"),
        ("plain(bits=2))", ") stands where it should end"),
        ("plain(bits=2 share=1)", "',' or ')' is expected, not share"),
        ("plain(bits=2, bits=3)", "plain has its argument 'bits' twice"),
        ("wrapped(plain, plain)", "wrapped has its argument 'inner' twice"),
        ("plain(bits=2.0)", "plain: bits = 2.0 must be a whole number"),
        ("plain(bits=True)", "plain: bits = True must be a whole number"),
        ("plain(nearest=1)", "plain: nearest = 1 must be True or False"),
        ("plain(share='1')", "plain: share = '1' must be a number"),
        ("plain(share=1e999)", "1e999 is too large for a number"),
        ("plain(bits=plain)", "plain: bits = plain must be a whole number"),
        ("plain(pattern=abc)", "a text needs quotes: pattern='abc'"),
        ("plain(pattern='abc)", "a text lacks its closing quote"),
        ("wrapped(inner=2)", "wrapped: inner = 2 must be a thing"),
        ("plain(bits=-1)", "plain: bits = -1 is negative: give a width."),
        ("plain; import os", "';' means nothing here"),
        ("__import__('os')", "__import__ takes its arguments by name"),
        ("needy", "needy lacks its argument 'norm'"),
        ("wrapped(" * 25 + ")" * 25, "more than 20 expressions stand in one another"),
    )
    def test_errors_are_one_line_with_the_text_and_the_remedy(self, text, message):
        with self.assertRaises(ExpressionError) as caught:
            expressions.build(text, THINGS)
        said = str(caught.exception)
        self.assertIn(message, said)
        self.assertStartsWith(said, repr(text)[:100])
        self.assertLen(said.splitlines(), 1)

    def test_sequences(self):
        expected = (Plain(2), Wrapped(), Plain(pattern="a|b, c"))
        for text in ("plain(bits=2), wrapped, plain(pattern='a|b, c'),",
                     "plain(bits=2) | wrapped() | plain(pattern='a|b, c')"):  # fmt: skip
            self.assertEqual(expressions.build_many(text, THINGS), expected)
            self.assertLen(expressions.parse_many(text, THINGS), 3)
            self.assertEqual(
                expressions.canonical_many(text, THINGS),
                "plain(bits=2), wrapped, plain(pattern='a|b, c')",
            )
        self.assertEqual(expressions.build_many(" ", THINGS), ())
        self.assertEqual(expressions.canonical_many("", THINGS), "")
        for wrong in (",", "plain,,plain", "plain plain", "|plain"):
            with self.assertRaises(ExpressionError):
                expressions.parse_many(wrong, THINGS)

    def test_equal_objects_have_one_spelling(self):
        self.assertEqual(
            expressions.canonical("wrapped(plain(), share=1, other=plain(share=.5))", THINGS),
            "wrapped(other=plain, share=1.0)",
        )

    def test_canonical_text_of_any_spelling(self):
        @FAST
        @given(OBJECTS, st.data())
        def check(thing, data):
            texts = [spelt(thing, data.draw) for _ in range(2)]
            canonical = [expressions.canonical(text, THINGS) for text in texts]
            self.assertEqual(canonical[0], canonical[1])
            self.assertEqual(str(expressions.parse(canonical[0], THINGS)), canonical[0])
            self.assertEqual(expressions.build(canonical[0], THINGS), thing)

        check()

    def test_any_text_at_all_is_read_or_refused(self):
        pieces = st.sampled_from(
            ["plain", "wrapped", "needy", "(", ")", ",", "=", "|", "bits", "inner", "'", '"', " ",
             "-", "1", ".5", "1e9", "True", "share", "norm", "\n", "9" * 5000, "\\", "\ud800"]
        )  # fmt: skip
        texts = st.text() | st.lists(pieces, max_size=20).map("".join)

        @FAST
        @given(texts)
        def check(text):
            for function in (expressions.canonical, expressions.canonical_many):
                try:
                    canonical = function(text, THINGS)
                except ExpressionError as error:
                    self.assertLen(str(error).splitlines(), 1)
                else:
                    self.assertEqual(function(canonical, THINGS), canonical)

        check()


if __name__ == "__main__":
    absltest.main()
