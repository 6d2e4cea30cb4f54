"""The publish protocol: one folder, one commit, one tag."""
