"""The failures that end a run with a line of explanation instead of a traceback."""


class RunError(RuntimeError):
    """What stopped a run and what to do about it, in a line or two for the user."""


class DamagedFileError(RunError):
    """A file of a run is not what it should be; the message says how to mend that."""
