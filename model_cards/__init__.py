"""Card templates, packaged so that an installed PersonaMath finds them."""
