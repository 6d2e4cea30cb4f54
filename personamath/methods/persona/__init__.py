"""The paper's method (arXiv 2410.01504 v1, section 3): rewrites through personas, then reflection."""
