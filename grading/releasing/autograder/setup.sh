#!/usr/bin/env bash
# Once, as root, while Gradescope builds the image: Python, its packages, bubblewrap.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

apt-get install -y -qq --no-install-recommends bubblewrap libseccomp2 python3 python3-venv
python=/usr/bin/python3
if ! new_enough "$python"; then
    apt-get install -y -qq --no-install-recommends python3.11 python3.11-venv
    python=/usr/bin/python3.11
fi
"$python" -m venv /autograder/venv
# torch without CUDA's gigabytes
export PIP_EXTRA_INDEX_URL="${PIP_EXTRA_INDEX_URL-https://download.pytorch.org/whl/cpu}"
/autograder/venv/bin/pip install -q -r /autograder/source/requirements.txt
chmod -R go= /autograder/source # references, checks and the secret
