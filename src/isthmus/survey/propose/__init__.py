"""A mapping proposed from a survey: what every rule says is decided here, each kind of decision in its module.

`propose` puts them together, `write` makes YAML of the result, `update` adds what is new to a file that exists. Pure
but for `unique`, which reads the source once more where only counting tells.
"""

from __future__ import annotations

from isthmus.survey.propose.proposal import Proposal
from isthmus.survey.propose.propose import propose
from isthmus.survey.propose.update import stated_policies, update_text
from isthmus.survey.propose.write import write_mapping

__all__ = ["Proposal", "propose", "stated_policies", "update_text", "write_mapping"]
