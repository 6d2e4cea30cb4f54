"""`python -m tests.local_hub --root DIR`: serve by hand."""

from tests.local_hub.server import main

main()
