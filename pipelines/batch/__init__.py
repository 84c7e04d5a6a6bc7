"""Many cases: a child process each, of which none can take another down."""
