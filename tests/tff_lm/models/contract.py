"""What every model must hold, as checks that any model can be run through.

    for check in contract.CHECKS:
        check(lambda: MyModel(contract.VOCABULARY))

Each takes a function that makes the model anew, with a vocabulary of `VOCABULARY` rows or more, and
raises AssertionError.
"""

import inspect

import numpy as np
import tensorflow as tf

from tff_lm.models.protocol import MatrixModel, ModelFn, ServableModel, TrainableModel

VOCABULARY = 13
X = np.array([[1, 5, 6, 7, 8], [1, 9, 10, 0, 0], [1, 0, 0, 0, 0]], np.int32)
Y = np.array([[5, 6, 7, 8, 2], [9, 10, 2, 0, 0], [2, 0, 0, 0, 0]], np.int32)


def loss_and_gradients(model, x=X, y=Y, **options):
    """The mean loss of the batch, and the dense gradient of each variable by its name."""
    with tf.GradientTape() as tape:
        logits, labels = model.score(tf.constant(x), tf.constant(y), **options)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    dense = [tf.convert_to_tensor(each).numpy() for each in gradients]
    return loss.numpy(), dict(zip(model.weight_names, dense, strict=True))


def logits_of(model, x, y):
    """float32[N, V]."""
    return model.score(tf.constant(x), tf.constant(y))[0].numpy()


def has_the_interface(build: ModelFn) -> None:
    """It has what `TrainableModel` names, and `score` takes the same arguments."""
    model = build()
    assert isinstance(model, TrainableModel), f"{model} is no TrainableModel"
    wanted = inspect.signature(TrainableModel.score).parameters
    given = inspect.signature(type(model).score).parameters
    assert list(given) == list(wanted), f"score takes {list(given)}, not {list(wanted)}"
    for name, parameter in wanted.items():
        assert given[name].default == parameter.default, f"score has another default of {name}"


def names_its_weights(build: ModelFn) -> None:
    """Each weight has a name of its own, in every graph the same, and is float32."""
    model = build()
    names = list(model.weight_names)
    assert len(set(names)) == len(names) == len(model.trainable_variables), names
    assert set(model.freezable) <= set(names), set(model.freezable) - set(names)
    assert {variable.dtype for variable in model.trainable_variables} == {tf.float32}
    with tf.Graph().as_default():
        assert list(build().weight_names) == names


def says_which_are_matrices(build: ModelFn) -> None:
    """If it says so at all: by the names of weights, as many as divide the last of two axes."""
    model = build()
    if not isinstance(model, MatrixModel):
        return
    shapes = dict(
        zip(model.weight_names, (v.shape for v in model.trainable_variables), strict=True)
    )
    for name, count in model.matrices.items():
        assert shapes[name].rank == 2, f"{name} is no matrix: {shapes[name]}"
        assert count > 0, name
        assert shapes[name][1] % count == 0, f"{count} matrices in {name}, {shapes[name]}"


def begins_the_same(build: ModelFn) -> None:
    """Made again, it has the same initial weights, whatever was drawn in between."""
    first = build().trainable_variables
    tf.random.set_seed(99)
    np.random.default_rng().normal()
    for one, other in zip(first, build().trainable_variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def scores_the_real_targets(build: ModelFn) -> None:
    """A row of logits for each target that is no padding, in order; none for an empty batch."""
    model = build()
    logits, labels = model.score(tf.constant(X), tf.constant(Y))
    np.testing.assert_array_equal(labels, Y[Y != 0])
    assert logits.dtype == tf.float32
    assert logits.shape[0] == len(labels)
    nothing = tf.zeros([2, 3], tf.int32)
    no_logits, no_labels = model.score(nothing, nothing)
    assert no_logits.shape == (0, logits.shape[1])
    assert no_labels.shape == (0,)


def is_causal(build: ModelFn) -> None:
    """Another token leaves the logits before it as they are, and changes those at its place."""
    model = build()
    changed = X.copy()
    changed[0, 3] = 11
    before, after = logits_of(model, X, Y), logits_of(model, changed, Y)
    np.testing.assert_array_equal(before[:3], after[:3])
    assert not np.allclose(before[3], after[3])


def sees_no_other_sentence(build: ModelFn) -> None:
    """The same logits alone and beside other sentences, of any length."""
    model = build()
    together = logits_of(model, X, Y)
    first = 0
    for row, length in enumerate((5, 3, 1)):
        place = slice(row, row + 1), slice(length)
        alone = logits_of(model, X[place], Y[place])
        np.testing.assert_allclose(together[first : first + length], alone, atol=1e-5)
        first += length


def padding_adds_nothing(build: ModelFn) -> None:
    """Neither to the loss nor to a gradient."""
    model = build()
    wide = [np.pad(ids, [[0, 1], [0, 4]]) for ids in (X, Y)]
    loss, gradients = loss_and_gradients(model)
    wide_loss, wide_gradients = loss_and_gradients(model, *wide)
    np.testing.assert_allclose(loss, wide_loss, rtol=1e-5)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, wide_gradients[name], atol=1e-5, err_msg=name)


def learns_everywhere(build: ModelFn) -> None:
    """Every variable has a gradient."""
    _, gradients = loss_and_gradients(build())
    for name, gradient in gradients.items():
        assert np.any(gradient), f"{name} has no gradient"


def freezes(build: ModelFn) -> None:
    """A frozen weight's gradient is zero, the others stay; a stranger is refused by its name."""
    model = build()
    _, full = loss_and_gradients(model)
    flags = {name: tf.constant(i % 2 == 0) for i, name in enumerate(sorted(model.freezable))}
    for every in (flags, {name: tf.logical_not(flag) for name, flag in flags.items()}):
        for name, gradient in loss_and_gradients(model, trained=every)[1].items():
            expected = full[name] * every.get(name, tf.constant(True)).numpy()
            np.testing.assert_allclose(gradient, expected, atol=1e-6, err_msg=name)
    refused = _refusal(model, "no/weight")
    assert "no/weight" in refused, f"score's `trained` may name what is not freezable: {refused!r}"


def _refusal(model: TrainableModel, name: str) -> str:
    """What the model answers when a weight is to be frozen that it cannot freeze."""
    try:
        model.score(tf.constant(X), tf.constant(Y), trained={name: tf.constant(True)})
    except ValueError as error:
        return str(error)
    return ""


CHECKS = (
    has_the_interface,
    names_its_weights,
    says_which_are_matrices,
    begins_the_same,
    scores_the_real_targets,
    is_causal,
    sees_no_other_sentence,
    padding_adds_nothing,
    learns_everywhere,
    freezes,
)


def serves(build) -> None:
    """For a `ServableModel`: called, it gives the logits of `score`, and 0 at the padding."""
    model = build()
    assert isinstance(model, ServableModel), f"{model} is no ServableModel"
    everywhere = np.asarray(model(tf.constant(X)))
    np.testing.assert_allclose(everywhere[Y != 0], logits_of(model, X, Y), atol=1e-5)
    assert not np.any(everywhere[Y == 0])
