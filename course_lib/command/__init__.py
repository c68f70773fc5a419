"""The command `course`: one file a command."""
