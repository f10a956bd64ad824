"""The commands of `uptake`, one module each; the module's `command` is what the list in config/command.py names."""
