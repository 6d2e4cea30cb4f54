"""The protocol of publishing: one folder becomes one commit and one tag."""
