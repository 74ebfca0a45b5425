"""Splitting a cohort over workers, with a result that does not depend on which of them survive.

The cohort is cut into one slice per *configured* worker, in order. Each slice is accumulated from
zero, and the accumulators are merged in the order of the slices. A slice whose worker dies is run
again, as a slice of its own, on another worker: the sums are grouped as before, so the result stays
the same, bit for bit. A broadcast and an accumulator travel between workers through this process.
"""

import itertools
from collections.abc import Mapping, Sequence
from concurrent import futures
from typing import TypeVar

import numpy as np
from absl import logging

from tff_lm.client_order import ClientOrder
from tff_lm.runtime import errors
from tff_lm.runtime.network.connection import Handle
from tff_lm.runtime.rounds import state_arrays
from tff_lm.runtime.rounds.client_states import ClientData
from tff_lm.runtime.rounds.round_form import RoundForm
from tff_lm.runtime.rounds.session import WorkerSession

_Order = TypeVar("_Order")


def split(orders: Sequence[_Order], shares: Sequence[int]) -> list[list[_Order]]:
    """Cuts `orders`, as they come, into slices proportional to `shares`; a slice may be empty."""
    bounds = np.rint(np.cumsum([0, *shares]) * len(orders) / sum(shares)).astype(int)
    return [list(orders[start:stop]) for start, stop in itertools.pairwise(bounds)]


def accumulate(
    sessions: Sequence[WorkerSession | None],
    home: WorkerSession,
    form: RoundForm,
    broadcast: Handle,
    slices: Sequence[Sequence[ClientOrder]],
    clients: ClientData,
) -> Handle:
    """Trains slices of a cohort and returns the merged accumulator, in `home`.

    Args:
        sessions: The session each slice belongs to; None for a worker that is gone.
        home: The session that holds the state and `broadcast`; one of `sessions`.
        form: The round.
        broadcast: The value sent to each client.
        slices: Clients' orders, a slice per session.
        clients: What travels with the orders, and back beside the updates.

    Raises:
        WorkerLostError: if `home` is lost.
    """
    jobs = [(session, part) for session, part in zip(sessions, slices, strict=True) if part]
    if all(session is home for session, _ in jobs) and len(jobs) == 1:
        return home.accumulate(form, broadcast, jobs[0][1], clients)
    with futures.ThreadPoolExecutor(len(jobs) + 1, thread_name_prefix="slice") as pool:
        arrays = pool.submit(
            state_arrays.fetch, home.connection, broadcast
        )  # home does not wait for it
        running = [
            pool.submit(_run_slice, session, home, form, broadcast, arrays, part, clients)
            for session, part in jobs
        ]
        totals = [future.result() for future in running]
    merge = home.functions(form)["merge"]
    merged, *rest = totals
    for total in rest:
        merged = home.connection.call(merge, home.connection.struct([merged, total]))
    return merged


def _run_slice(
    session: WorkerSession | None,
    home: WorkerSession,
    form: RoundForm,
    broadcast: Handle,
    broadcast_arrays: futures.Future[dict[str, np.ndarray]],
    orders: Sequence[ClientOrder],
    clients: ClientData,
) -> Handle:
    """Accumulates one slice in its session, or in `home` if that is lost; returns it in `home`."""
    if session is not None and session is not home:
        try:
            return _run_away(session, home, form, broadcast_arrays.result(), orders, clients)
        except errors.WorkerLostError as error:
            if home.connection.lost:
                raise
            logging.warning(
                "A worker died; its %d clients run on another one. (%s)", len(orders), error
            )
    return home.accumulate(form, broadcast, orders, clients)


def _run_away(
    session: WorkerSession,
    home: WorkerSession,
    form: RoundForm,
    broadcast_arrays: Mapping[str, np.ndarray],
    orders: Sequence[ClientOrder],
    clients: ClientData,
) -> Handle:
    """Accumulates one slice in a session that is not `home`; returns the accumulator in `home`."""
    type_ = form.prepare.type_signature.result
    broadcast = state_arrays.put(session.connection, broadcast_arrays, type_)
    total = session.accumulate(form, broadcast, orders, clients)
    arrays = state_arrays.fetch(session.connection, total)
    session.connection.collect()
    return state_arrays.put(home.connection, arrays, form.zero.type_signature.result)
