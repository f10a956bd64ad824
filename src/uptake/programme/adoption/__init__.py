"""How people come to know the programme: announcements, a starter guide, trainings, and a feedback box."""
