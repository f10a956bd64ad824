"""Pages by which people come to know the programme: news, the starter guide, trainings, and the feedback box."""
