"""What looks wrong in a trajectory, and where: symptoms by SQL, at no token cost."""

from spanloop.optimizer.symptoms.find import SymptomResult, find_symptoms, learn_peers

__all__ = ["SymptomResult", "find_symptoms", "learn_peers"]
