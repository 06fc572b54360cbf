"""The demo: the whole graph on this machine, pick episodes, and a report of what happened."""
