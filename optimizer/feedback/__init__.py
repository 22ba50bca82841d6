"""Explicit feedback, by whatever carrier it came, as rows of ``assessments``."""

from spanloop.optimizer.feedback.extract import FeedbackResult, extract_feedback, record_feedback

__all__ = ["FeedbackResult", "extract_feedback", "record_feedback"]
