"""`python -m tests.support.local_hub --root DIR`: serve by hand."""

from tests.support.local_hub.server import main

main()
