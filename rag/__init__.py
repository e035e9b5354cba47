"""Answers questions about a folder of articles, with every sentence cited and checked."""

from rag.assistant import Assistant, query
from rag.errors import RagError
from rag.settings import Settings
from rag.types import Answer, Citation, Event, Passage, SyncReport

__all__ = ["Answer", "Assistant", "Citation", "Event", "Passage", "RagError", "Settings", "SyncReport", "query"]
