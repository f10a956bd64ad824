"""What merit brings beside points to spend: boards, and what else marks a person out."""
