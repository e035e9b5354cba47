"""What stands behind the chat page (``app.py``): its HTML, the corpus folder as it is edited, feedback, evals."""
