"""Runs both arms of a frozen plan and asks the gate."""
