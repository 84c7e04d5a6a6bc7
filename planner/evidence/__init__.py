"""What was published, as data with a domain: citations and relations, loaded from text."""
