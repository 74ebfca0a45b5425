"""Tasks: users' text, their vocabulary, and the batches made of it inside a TFF worker.

Start at `tasks.task.make_task`; `tasks.batching.make_dataset_fn` is what a federated computation
maps over clients' orders. Nothing in here knows of a model or of compression.
"""
