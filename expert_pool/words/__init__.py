"""Sentences for codes. Everything the house says, it says as a code with parameters; the words live here."""

from expert_pool.words.catalogue import entries, languages
from expert_pool.words.citation import cited
from expert_pool.words.sentence import because, condition, known, placeholders, say, term

__all__ = ["because", "cited", "condition", "entries", "known", "languages", "placeholders", "say", "term"]
