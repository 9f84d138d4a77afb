"""What no resolver knows, as dated records behind typed questions."""

from mlenv.knowledge.base import KNOWLEDGE_DATE, Knowledge, LastRelease

__all__ = ["KNOWLEDGE_DATE", "Knowledge", "LastRelease"]
