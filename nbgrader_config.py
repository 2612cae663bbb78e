"""nbgrader in this folder: `nbgrader autograde`, `nbgrader formgrader` and the rest work on the course as it lies here.

Students' code runs in the course's own sandbox and is judged outside it: see grading/recording/nbgrader_plugin.py.
"""

import glob
import os
import warnings

from nbgrader.converters import GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells
from nbgrader.server_extensions.formgrader import handlers
from sqlalchemy.exc import SAWarning

import grading

warnings.filterwarnings("ignore", category=SAWarning)  # nbgrader's models against today's SQLAlchemy
PLUGIN = "grading.recording.nbgrader_plugin"
ROOT = os.path.dirname(os.path.abspath(__file__))
os.makedirs(os.path.join(ROOT, "grading"), exist_ok=True)

c = get_config()  # noqa: F821
c.CourseDirectory.root = ROOT
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "course"
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.feedback_directory = "grading/nbgrader_feedback"  # ours, in feedback/, are not written over
c.CourseDirectory.db_url = f"sqlite:///{ROOT}/grading/gradebook.db"
solved = glob.glob(os.path.join(ROOT, "solutions", "*", "*.ipynb"))
texts = [f"{os.path.splitext(os.path.basename(path))[0]}.py" for path in solved]  # a solution as text stays at home
c.CourseDirectory.ignore = [*CourseDirectory().ignore, *texts]
c.Autograde.sanitize_preprocessors = [f"{PLUGIN}.JudgeOutside"]
c.Autograde.autograde_preprocessors = [f"{PLUGIN}.RecordVerdict", "nbgrader.preprocessors.AssignLatePenalties"]
ours = {SaveCells: f"{PLUGIN}.SaveCells"}
steps = [ours.get(step, step) for step in GenerateAssignment().preprocessors]
c.GenerateAssignment.preprocessors = [f"{PLUGIN}.Link", *steps, f"{PLUGIN}.Tidy"]
c.GenerateFeedback.preprocessors = [f"{PLUGIN}.WithoutRubrics", *GenerateFeedback().preprocessors]
# Formgrader's page and nbgrader's feedback from templates of our own: what a student wrote is text there.
c.HTMLExporter.extra_template_basedirs = [
    os.path.join(grading.__path__[0], "publishing", "templates"),
    handlers.template_path,
]
c.HTMLExporter.exclude_anchor_links = True  # a heading's id could be that of a score's box
