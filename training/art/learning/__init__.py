"""Features learned on a collection without labels: matches that their neighbourhood confirms teach the network."""
