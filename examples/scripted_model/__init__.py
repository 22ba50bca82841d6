"""A *scripted* OpenAI-compatible model server, for the demo and the tests without a key.

It is no language model: every reply is a fixed rule over the request (prompt text, tool
descriptions, the user's words, tool results), the same request always gives the same bytes,
and each place it appears in says `scripted` (model name, ids, text). What it does right or
wrong depends on the agent's configuration alone, through three rules:

* it knows the refund window only if the prompt states it, or if something tells it to look it
  up; otherwise it makes a number up (missing context);
* it takes the tool that the tool texts recommend, right or wrong (tool preference);
* it checks a refund or an address change only if the prompt asks for that; otherwise it reports
  it as done (a claim that is never checked).
"""

from spanloop.examples.scripted_model.protocol import SCRIPTED_MODEL
from spanloop.examples.scripted_model.server import ScriptedModel, start_scripted_model

__all__ = ["SCRIPTED_MODEL", "ScriptedModel", "start_scripted_model"]
