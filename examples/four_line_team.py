"""The shortest team: a writer and an editor share a board, and the editor has the last word.

A script sits in the language model's chair, so that this runs without a key. With one, the four
lines are all there is:

    from hive import Role, Workflow
    writer = Role("writer", "Draft what the goal asks for.")
    editor = Role("editor", "Improve the draft. Answer with the final text alone.")
    print(Workflow(writer >> editor, model="openai:gpt-5-mini").run_sync("A haiku on bees.").text)
"""

from hive import Role, Workflow
from hive.models import ScriptedModel

DRAFT = "Bees hum in the sun\nlooking for sweet things to eat\nthen they all go home"
FINAL = "Noon hums in clover;\na bee weighs each open bell\nand leaves with the sun."

script = ScriptedModel([DRAFT, FINAL], name="two haiku written beforehand")

writer = Role("writer", "Draft what the goal asks for.")
editor = Role("editor", "Improve the draft. Answer with the final text alone.")
result = Workflow(writer >> editor, model=script).run_sync("A haiku on bees.")

print(f"{script.name} served both roles; nothing was asked of a language model.\n")
print(result.text)
print(f"\n{result.outcome} after {result.turns} turns: {result.message}")
