"""Compression of model updates and models: codecs, and what TFF builds on any codec.

Importing this package does not import TensorFlow Federated; `compression.aggregation` and
`compression.broadcast` do.
"""

from compression.codec import Codec as Codec
from compression.codec import Payload as Payload
from compression.registry import codec_names as codec_names
from compression.registry import make_codec as make_codec
