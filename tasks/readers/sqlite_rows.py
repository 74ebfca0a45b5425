"""Rows of SQLite files of TensorFlow Federated (`tff.simulation.datasets.SqlClientData`).

A person is the table's `client_id`, whatever split they are in there; `text_column` names the
feature of the examples that holds the text ("tokens" in Stack Overflow, "snippets" in Shakespeare).
"""

import contextlib
import sqlite3
from collections.abc import Iterator

from tasks.corpus import BadRow, CorpusOptions
from tasks.errors import TaskError, unknown_name
from tasks.readers.data_files import DataFile
from tasks.readers.rows import Row, row_of_record
from tasks.readers.text_files import is_compressed

_QUERY = "SELECT rowid, client_id, serialized_example_proto FROM examples ORDER BY rowid"


def parse_sqlite(file: DataFile, options: CorpusOptions) -> Iterator[Row | BadRow]:
    """Examples, by number of their row.

    Raises:
      TaskError: If the file is not SQLite, has no table of examples, or these no such feature.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    if is_compressed(file.path):
        raise TaskError(f"{file.path} is compressed; unpack it: SQLite is read in place")
    try:
        uri = f"{file.path.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            for number, user, serialized in connection.execute(_QUERY):
                try:
                    example = tf.train.Example.FromString(serialized)
                except (DecodeError, TypeError):
                    yield BadRow(file.name, number, "not a tf.train.Example")
                    continue
                features = example.features.feature
                if options.text_column not in features:
                    raise unknown_name(f"feature (of {file.name})", options.text_column, features)
                texts = list(features[options.text_column].bytes_list.value)
                record = {
                    options.user_column: user,
                    options.text_column: texts[0] if len(texts) == 1 else texts,
                }
                yield row_of_record(record, file.name, number, options)
    except sqlite3.DatabaseError as error:
        raise TaskError(
            f"{file.path} is not an SQLite file of TFF's client data ({error})"
        ) from error
