"""The points programme once more: plain, slow and obvious, written from the rulebook's text alone.

It knows nothing of the product and computes everything anew at every input, so that it can say who is right where the
product's fold differs. `play.run(case)` gives what a case expects; `play.played(case)` the whole world it ends in.
"""
