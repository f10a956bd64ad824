"""Whether points reach people alike: everybody eligible counts, also those with nothing; small groups stay hidden."""
