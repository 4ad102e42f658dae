#!/usr/bin/env python3
"""The documents say what is there: code in them is that of compiled files, and their links lead somewhere."""

import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A block of code that is a file's: <!-- quoted: PATH --> and then the block.
QUOTED = re.compile(r"<!-- quoted: (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def documents():
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split()]


class Documents(unittest.TestCase):
    def test_quoted_code_is_that_of_the_file(self):
        quoted = 0
        for document in documents():
            for name, code in QUOTED.findall(document.read_text()):
                quoted += 1
                self.assertEqual((ROOT / name).read_text(), code, f"{document.name} quotes {name} as it is not")
        self.assertGreater(quoted, 0)

    def test_links_lead_somewhere(self):
        for document in documents():
            for target in LINK.findall(document.read_text()):
                if not target.startswith(("http://", "https://")):
                    self.assertTrue((document.parent / target).exists(), f"{document.name} links to {target}")


if __name__ == "__main__":
    unittest.main()
