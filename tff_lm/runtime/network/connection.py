"""A plain, synchronous client of one TFF worker, and handles to the values it holds.

TFF's own `RemoteExecutor` speaks the same protocol; this client differs where rounds of a large
model need it: it may be used from several threads, a value is disposed of as soon as nobody refers
to it (not in batches of 20, each as large as the model), and a dead worker is told apart from a
failed computation.
"""

import collections
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import tensorflow_federated as tff
from tensorflow_federated.proto.v0 import computation_pb2, executor_pb2, executor_pb2_grpc

from tff_lm.runtime import errors

_ALIVE_CHECK_SECONDS = 0.5
_MAX_MESSAGE_BYTES = 2**31 - 1  # gRPC's own limit
_CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    # One channel a worker: without this, channels to the same address share a connection, and one
    # to a new worker at an old address may inherit the back-off of the dead one.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
)

# What gRPC says when the other side is gone, or is a new process that knows none of our values.
_LOST = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.UNKNOWN,
    }
)


class Handle:
    """A value inside a worker; the worker forgets it once no Python object refers to the handle."""

    __slots__ = ("_garbage", "connection", "reference", "type_signature")

    def __init__(self, connection: "WorkerConnection", reference: str, type_: tff.Type):
        self.connection = connection
        self.reference = reference
        self.type_signature = type_
        self._garbage = connection._garbage  # bound here: `connection` may be cleared before us

    def __del__(self):
        # Called by the garbage collector in any thread, so no request is sent from here.
        self._garbage.append(self.reference)


class WorkerConnection:
    """The values and calls of one worker.

    Every method raises `WorkerLostError` if the worker is gone and `ComputationError` if a
    computation failed in it. Calls return at once, before the value is computed; `fetch` and `wait`
    wait for it.
    """

    def __init__(self, target: str, alive: Callable[[], bool], ready_seconds: float):
        """Connects to a worker.

        Args:
            target: Its gRPC target.
            alive: Whether it is still worth waiting for it.
            ready_seconds: How long to wait for its first answer.

        Raises:
            WorkerLostError: if it does not answer in that time, or is not alive before.
        """
        self._garbage: collections.deque[str] = collections.deque()
        self._lost = False
        self._channel = grpc.insecure_channel(target, _CHANNEL_OPTIONS)
        self._target = target
        self._wait_until_ready(alive, time.monotonic() + ready_seconds)
        self._stub = executor_pb2_grpc.ExecutorGroupStub(self._channel)
        # Only unplaced values live in the worker (round_form.py), so it never needs to know a
        # number of clients.
        request = executor_pb2.GetExecutorRequest(
            cardinalities=[
                executor_pb2.Cardinality(
                    placement=computation_pb2.Placement(uri=tff.CLIENTS.uri), cardinality=0
                )
            ]
        )
        self._executor = self._request(self._stub.GetExecutor, request).executor

    def _wait_until_ready(self, alive: Callable[[], bool], deadline: float) -> None:
        ready = grpc.channel_ready_future(self._channel)
        while True:
            with contextlib.suppress(grpc.FutureTimeoutError):
                return ready.result(_ALIVE_CHECK_SECONDS)
            if time.monotonic() > deadline or not alive():
                ready.cancel()
                self._channel.close()
                raise errors.WorkerLostError(f"No worker answers at {self._target}.")

    @property
    def target(self) -> str:
        """The gRPC target of the worker."""
        return self._target

    @property
    def lost(self) -> bool:
        """Whether the worker has been found gone."""
        return self._lost

    def close(self) -> None:
        """Ends the connection, and calls under way with it. Its handles are void afterwards."""
        self._channel.close()

    def put(self, value: object, type_: tff.Type) -> Handle:
        """Copies arrays, strings, structures of them, or a computation into the worker."""
        proto, type_ = tff.framework.serialize_value(value, type_)
        request = executor_pb2.CreateValueRequest(executor=self._executor, value=proto)
        return self._handle(self._stub.CreateValue, request, type_)

    def call(self, function: Handle, argument: Handle | None = None) -> Handle:
        """Calls a computation; returns before its result is computed."""
        request = executor_pb2.CreateCallRequest(
            executor=self._executor,
            function_ref=_reference(function),
            argument_ref=None if argument is None else _reference(argument),
        )
        return self._handle(self._stub.CreateCall, request, function.type_signature.result)

    def struct(self, elements: Sequence[Handle], type_: tff.StructType | None = None) -> Handle:
        """Joins values into a structure, without copying them."""
        request = executor_pb2.CreateStructRequest(
            executor=self._executor,
            element=[
                executor_pb2.CreateStructRequest.Element(value_ref=_reference(element))
                for element in elements
            ],
        )
        type_ = type_ or tff.StructType([element.type_signature for element in elements])
        return self._handle(self._stub.CreateStruct, request, type_)

    def select(self, source: Handle, index: int) -> Handle:
        """Takes one element of a structure, without copying it."""
        request = executor_pb2.CreateSelectionRequest(
            executor=self._executor, source_ref=_reference(source), index=index
        )
        return self._handle(self._stub.CreateSelection, request, source.type_signature[index])

    def fetch(self, source: Handle) -> object:
        """Waits for a value and copies it here: arrays, and `tff.structure.Struct`s of them."""
        request = executor_pb2.ComputeRequest(executor=self._executor, value_ref=_reference(source))
        response = self._request(self._stub.Compute, request)
        return tff.framework.deserialize_value(response.value, source.type_signature)[0]

    def collect(self) -> None:
        """Lets the worker forget the values that no handle refers to any more.

        Every other call does this as well; call it when no other call follows soon.
        """
        references = []
        while self._garbage:
            try:
                references.append(self._garbage.popleft())
            except IndexError:  # another thread took the last one
                break
        if references:
            request = executor_pb2.DisposeRequest(
                executor=self._executor,
                value_ref=[executor_pb2.ValueRef(id=reference) for reference in references],
            )
            self._request(self._stub.Dispose, request)

    def _handle(self, method: Any, request: Any, type_: tff.Type) -> Handle:
        self.collect()
        return Handle(self, self._request(method, request).value_ref.id, type_)

    def _request(self, method: Any, request: Any) -> Any:
        try:
            return method(request)
        except grpc.RpcError as error:
            message = f"{self._target}: {error.code().name}: {error.details()}"
            if error.code() in _LOST:
                self._lost = True
                raise errors.WorkerLostError(message) from error
            raise errors.ComputationError(message) from error
        except ValueError as error:  # "Cannot invoke RPC on closed channel!"
            raise errors.WorkerLostError(str(error)) from error


def _reference(handle: Handle) -> executor_pb2.ValueRef:
    return executor_pb2.ValueRef(id=handle.reference)
