"""What lessons show as tables: pandas frames with words in the language in use."""
