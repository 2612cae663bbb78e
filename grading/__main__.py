import sys

from .cli import main

# jsonschema imports it for addresses in a format of their own, which no notebook has: 1.6 s of every command.
sys.modules.setdefault("rfc3987_syntax", None)
sys.exit(main())
