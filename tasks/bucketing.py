"""Cutting sentences, sorted by length, into batches with the least padding. Pure TensorFlow."""

import tensorflow as tf

_UNREACHABLE = 2**60


def least_padding_splits(
    lengths: tf.Tensor, batch_size: int, extra_batches: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Where to cut so that batches, each padded to its longest sentence, hold the least padding.

    Equal cuts waste much on a client with few sentences, above all on the long ones. With one batch
    more than the fewest possible there is room to choose: the cuts found here are the best there
    are (a dynamic program over the room that the batches so far have left, at most a few dozen
    states, so it takes about a millisecond).

    Args:
      lengths: int64[n], ascending.
      batch_size: At most this many sentences in a batch.
      extra_batches: How many batches there are beyond the fewest possible; none for a client whose
        sentences fit into one batch.

    Returns:
      int64[k] starts and int64[k] ends of the batches.
    """
    count = tf.size(lengths, out_type=tf.int64)
    num_batches = _number_of_batches(count, batch_size, extra_batches)
    choices = _best_room_before(lengths, batch_size, num_batches, (1 + extra_batches) * batch_size)
    ends = _trace_back(choices, batch_size, num_batches, num_batches * batch_size - count)
    return tf.concat([tf.zeros([1], tf.int64), ends], axis=0)[:-1], ends


def equal_splits(count: tf.Tensor, batch_size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """int64[k] starts and ends of consecutive full batches and, possibly, a last partial one."""
    starts = tf.range(0, count, batch_size, dtype=tf.int64)
    return starts, tf.minimum(starts + batch_size, count)


def _number_of_batches(count: tf.Tensor, batch_size: int, extra_batches: int) -> tf.Tensor:
    fewest = -(-count // batch_size)
    return tf.where(fewest > 1, tf.minimum(fewest + extra_batches, count), fewest)


def _best_room_before(
    lengths: tf.Tensor, batch_size: int, num_batches: tf.Tensor, max_room: int
) -> tf.Tensor:
    """The dynamic program.

    After j batches that left room for u sentences in all, j * batch_size - u sentences are placed.
    So u is the whole state, and at the end u is the room there is.

    Args:
      lengths: int64[n], ascending.
      batch_size: At most this many sentences in a batch.
      num_batches: Scalar int64 k.
      max_room: Above every room that there can be.

    Returns:
      int64[k, max_room]: for each number of batches and room after the last of them, the best room
      before it.
    """
    count = tf.size(lengths, out_type=tf.int64)
    room = tf.range(max_room, dtype=tf.int64)
    # sizes[a, b]: size of a batch that takes the room from b to a.
    sizes = batch_size - (room[:, tf.newaxis] - room[tf.newaxis, :])
    possible = (sizes >= 1) & (sizes <= batch_size)

    def step(index, positions, choices):
        placed = (index + 1) * batch_size - room
        longest = tf.gather(lengths, tf.clip_by_value(placed - 1, 0, count - 1))
        candidates = positions[tf.newaxis, :] + sizes * longest[:, tf.newaxis]
        candidates = tf.where(possible, candidates, _UNREACHABLE)
        choices = choices.write(tf.cast(index, tf.int32), tf.argmin(candidates, axis=1))
        best = tf.minimum(tf.reduce_min(candidates, axis=1), _UNREACHABLE)
        return index + 1, best, choices

    nothing_placed = tf.where(tf.equal(room, 0), tf.zeros_like(room), _UNREACHABLE)
    choices = tf.TensorArray(tf.int64, tf.cast(num_batches, tf.int32), element_shape=[max_room])
    _, _, choices = tf.while_loop(
        lambda index, *_: index < num_batches,
        step,
        (tf.zeros([], tf.int64), nothing_placed, choices),
    )
    return choices.stack()


def _trace_back(
    choices: tf.Tensor, batch_size: int, num_batches: tf.Tensor, room: tf.Tensor
) -> tf.Tensor:
    """int64[k] ends of the batches, following the choices from the last batch to the first."""

    def step(index, room, ends):
        ends = ends.write(tf.cast(index, tf.int32), (index + 1) * batch_size - room)
        return index - 1, choices[index, room], ends

    ends = tf.TensorArray(tf.int64, tf.cast(num_batches, tf.int32), element_shape=[])
    _, _, ends = tf.while_loop(lambda index, *_: index >= 0, step, (num_batches - 1, room, ends))
    return ends.stack()
