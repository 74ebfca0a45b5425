"""The history of Git repositories as people's text: read, cleaned by rules, kept on disk."""
