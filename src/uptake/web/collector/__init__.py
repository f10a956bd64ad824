"""The browser collector: the script that other people's pages load, at an address that stays."""
