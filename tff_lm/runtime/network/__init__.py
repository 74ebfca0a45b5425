"""The way to a worker: TFF's protocol, and mutual TLS between machines."""
