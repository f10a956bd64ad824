"""How rules change and how a decision is questioned: committees and their votes, appeals, the monthly report."""
