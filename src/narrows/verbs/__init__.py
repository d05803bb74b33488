"""The verbs, from reading data to writing results, as generators of events; none of them prints."""
