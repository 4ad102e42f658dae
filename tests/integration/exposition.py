"""Reads Prometheus' text format as strictly as the tests need it: what it does not understand is an error."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
HEAD = re.compile(rf"# (HELP|TYPE) ({NAME}) (.*)")
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class ExpositionError(ValueError):
    pass


def labels_of(text):
    labels = {}
    at = 0
    while at < len(text):
        found = LABEL.match(text, at)
        if found is None:
            raise ExpositionError(f"not a label: {text[at:]!r}")
        name, value = found.groups()
        if name in labels:
            raise ExpositionError(f"label {name} twice: {text!r}")
        labels[name] = re.sub(r'\\["\\n]', lambda escape: ESCAPES[escape.group()], value)
        at = found.end()
    return frozenset(labels.items())


class Exposition:
    """All samples of one answer."""

    def __init__(self, text):
        self.types = {}
        self.samples = {}
        for line in text.splitlines():
            self._read(line)

    def _read(self, line):
        head = HEAD.fullmatch(line)
        if head is not None:
            kind, name, rest = head.groups()
            if kind == "TYPE":
                if name in self.types:
                    raise ExpositionError(f"type of {name} twice")
                self.types[name] = rest
            return
        if not line or line == "# EOF":
            return
        sample = SAMPLE.fullmatch(line)
        if sample is None:
            raise ExpositionError(f"not a sample: {line!r}")
        name, labels, value = sample.groups()
        key = (name, labels_of(labels or ""))
        if key in self.samples:
            raise ExpositionError(f"sample twice: {line!r}")
        self.samples[key] = float(value)

    def value(self, name, **labels):
        """The sample with exactly these labels; KeyError says which others there are."""
        key = (name, frozenset(labels.items()))
        if key not in self.samples:
            others = sorted(str(sorted(found)) for sample, found in self.samples if sample == name)
            raise KeyError(f"no {name} with {labels}; there are: {', '.join(others) or 'none of that name'}")
        return self.samples[key]

    def by_label(self, name, label):
        """{value of the label: value of the sample}"""
        return {dict(labels)[label]: value for (sample, labels), value in self.samples.items() if sample == name}
