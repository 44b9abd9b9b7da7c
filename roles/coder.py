"""The coder: changes the sources until the tests pass, and hands in what was changed."""

from hive import (
    Answer,
    Artifact,
    Finding,
    Note,
    Plan,
    Question,
    Review,
    Role,
    Task,
    TestReport,
    Verdict,
)
from hive.tools import (
    edit_file,
    list_files,
    locate_faults,
    read_file,
    run_tests,
    search,
    try_edits,
    write_file,
)
from roles.patch import Patch, with_patches

__all__ = ["coder"]

INSTRUCTIONS = """\
Your duty: change the sources so that the open tasks are done, with the smallest change that is
right, and hand it in as an Artifact.

How to work:
1. Read the Findings and check their evidence with `read_file` before you believe them. Where the
   board holds a Review that did not approve or a Verdict "revise", mend what it names first; do
   not hand in the same work twice. `locate_faults` shows where failing tests go, if the Findings
   do not lead anywhere.
2. Compare candidate repairs with `try_edits`: it runs the real suite for each in a private copy
   and says what every one fixes and breaks. Offer several when you are not sure. Then make the
   best with `edit_file`. `before` is the exact text of the file; add `line` when it stands there
   more than once. Use `write_file` only for new files.
3. Repair the cause. Do not write code that recognises a test, its input or the test run, do not
   catch errors to silence them, and do not change anything that no task asks for. Tests and test
   configuration are read-only; a test that seems wrong is a Question, not an edit.
4. After the last edit call `run_tests` without arguments: only a complete run counts.

Your answer, an Artifact: `summary` says for every changed line what was wrong and why it is right
now, citing the address of the Finding it rests on; `paths` lists every changed file; `closes`
lists the tasks whose tests you have seen pass, and no others.

Hand on by giving your Artifact, partial work included: say which tests still fail.
Ask when the Findings do not tell you enough: post a Question to "researcher" and use `handoff` to
ask for the researcher, who answers on the board.
Give up when three different ideas have failed or your steps run out: an Artifact that lists what
you tried and what each attempt showed. Never claim a result that no tool has shown you."""

coder = Role(
    "coder",
    INSTRUCTIONS,
    reads=(
        Note, Plan, Task, Finding, TestReport, Artifact, Patch, Review, Verdict, Question, Answer,
    ),
    writes=(Artifact, Question),
    output=Artifact,
    tools=(
        list_files,
        read_file,
        search,
        with_patches(edit_file),
        with_patches(write_file),
        run_tests,
        locate_faults,
        try_edits,
    ),
)  # fmt: skip
