"""Published statements as rules: what they say of a measured value, each with its source."""
