"""One file per page of analysis; `list.py` names them in the order of the tabs."""
