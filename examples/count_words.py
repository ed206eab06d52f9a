"""What a text is made of: give the session a variable `text` first (README.md says how)."""

import re
from collections import Counter
from dataclasses import dataclass

COMMON = set("a an and at be by each for from had has have he i in is it of on or that the".split())
COMMON |= set("there this to was we were what when which while who with you your".split())


@dataclass
class Sentence:
    words: list[str]

    @property
    def length(self) -> int:
        return len(self.words)


def words_of(passage: str) -> list[str]:
    return re.findall(r"[a-z]+(?:'[a-z]+)?", passage.lower())


title, _, body = text.partition("\n\n")
paragraphs = [" ".join(p.split()) for p in body.split("\n\n")]
sentences = [Sentence(words_of(s)) for p in paragraphs for s in re.split(r"(?<=[.?!:])\s", p)]
words = [word for sentence in sentences for word in sentence.words]
frequency = Counter(word for word in words if word not in COMMON)
longest = max(sentences, key=lambda sentence: sentence.length)

print(
    f"{title.title()}: {len(paragraphs)} paragraphs, {len(sentences)} sentences, "
    f"{len(words)} words, {len(set(words))} different ones."
)
print(f"Longest sentence: {longest.length} words. Mean: {len(words) / len(sentences):.1f}.")
for word, count in frequency.most_common(8):
    print(f"{word:>12} {'#' * count} {count}")

frequency.most_common(3)
