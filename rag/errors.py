"""Every error this package raises. Each message says what is wrong and what to do about it, in one line.

RagError
├── SettingsError      a setting that makes no sense, or one that is missing
├── CorpusError        the folder of articles: absent, empty, unreadable
│   └── ArticleError   one file that can't be read as an article (a sync skips it and says so)
├── QuestionError      a question that is empty
├── StoreError         the store: unwritable, damaged, of another version
│   ├── StoreBusyError       another sync is running
│   ├── StoreDamagedError    a file of the store is not what the manifest says
│   └── EmbeddingMismatchError   the store was written with another embedding
├── ModelError         a bundled model is missing or damaged
├── LLMError           the LLM service failed (the reader answers instead)
│   ├── LLMAuthError   the LLM service refused the key
│   └── LLMContextError   the prompt is longer than the model's context
└── GoldError          a gold file that can't be used
"""


class RagError(Exception):
    """Root of the tree."""


class SettingsError(RagError):
    """A setting that makes no sense, or one that is missing."""


class CorpusError(RagError):
    """The corpus folder is absent, empty or unreadable."""


class ArticleError(CorpusError):
    """One file can't be read as an article."""


class QuestionError(RagError):
    """The question can't be asked."""


class StoreError(RagError):
    """The store can't be opened or written."""


class StoreBusyError(StoreError):
    """Another sync holds the lock."""


class StoreDamagedError(StoreError):
    """A file of the store is not what its manifest says."""


class EmbeddingMismatchError(StoreError):
    """The store was written with another embedding."""


class ModelError(RagError):
    """A bundled model is missing or damaged."""


class LLMError(RagError):
    """The LLM service failed."""


class LLMAuthError(LLMError):
    """The LLM service refused the key."""


class LLMContextError(LLMError):
    """The prompt is longer than the model's context."""


class GoldError(RagError):
    """A gold file can't be used."""
